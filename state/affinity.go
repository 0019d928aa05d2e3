package state

import (
	"fmt"
	"math"
	"slices"
)

// Affinity is the decayed weight of one category.
type Affinity struct {
	Key    uint32 // [Name], or the index of a range of odds
	Weight float64
}

// fade scales every weight.
func (b *Bettor) fade(factor float64) {
	b.Weight *= factor
	for _, list := range [][]Affinity{b.Sports, b.Leagues, b.Teams, b.Markets, b.Odds} {
		for i := range list {
			list[i].Weight = short(list[i].Weight * factor)
		}
	}
}

// short rounds a weight to the 48 bits that the table keeps, eleven digits.
func short(weight float64) float64 {
	return math.Float64frombits((math.Float64bits(weight) + 0x8000) &^ 0xffff)
}

// like adds weight to a category; the lightest leaves a list that is full.
func like(list []Affinity, key uint32, weight float64, most int) []Affinity {
	i, known := slices.BinarySearchFunc(list, key, func(a Affinity, key uint32) int {
		return int(int64(a.Key) - int64(key))
	})
	if known {
		list[i].Weight = short(list[i].Weight + weight)
		return list
	}
	list = slices.Insert(list, i, Affinity{key, short(weight)})
	for len(list) > most {
		lightest := 0
		for i := range list {
			if list[i].Weight < list[lightest].Weight {
				lightest = i
			}
		}
		list = slices.Delete(list, lightest, lightest+1)
	}
	return list
}

// oddsBounds are the upper ends of the ranges of odds.
var oddsBounds = []float64{1.2, 1.5, 2, 3, 5, 10, math.Inf(1)}

// oddsRange is the index of the range that decimal odds fall into.
func oddsRange(odds float64) uint32 {
	for i, bound := range oddsBounds {
		if odds < bound {
			return uint32(i)
		}
	}
	return uint32(len(oddsBounds) - 1)
}

// OddsRangeName says a range of odds in words, as "1.50-2.00".
func OddsRangeName(key uint32) string {
	if int(key) >= len(oddsBounds) {
		return ""
	}
	low, high := 1.0, oddsBounds[key]
	if key > 0 {
		low = oddsBounds[key-1]
	}
	if math.IsInf(high, 1) {
		return fmt.Sprintf("%.2f and more", low)
	}
	return fmt.Sprintf("%.2f-%.2f", low, high)
}
