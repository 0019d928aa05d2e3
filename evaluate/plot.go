package evaluate

// Plots draws the results as SVG, by file name.
func Plots(results []*Result) map[string]string { return nil }
