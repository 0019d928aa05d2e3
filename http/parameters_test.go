package http

import "testing"

// Parameters are taken in the forms that the description has, not in all that a
// language's own readers take.
func TestParameters_AreTakenAsDescribedAlone(t *testing.T) {
	g := start(t)
	for query, taken := range map[string]bool{
		"diversity=0.25": true, "diversity=1": true, "diversity=1e-1": true, "diversity=0": true,
		"diversity=0x1p-2": false, "diversity=%2B0.5": false, "diversity=.5": false, "diversity=1.": false, "diversity=00.5": false,
		"diversity=inf": false, "diversity=0_1": false, "diversity=%200.5": false, "diversity=0.5%0A": false, "diversity=1e999": false,
		"n=5": true, "n=%2B5": false, "n=05": false, "n=5.0": false, "n=5e0": false, "n=+5": false, "n=0x5": false, "n=99999999999999999999": false,
		"within=48h": true, "within=1h30m": true, "within=1.5h": true, "within=90000ms": true, "within=30s": true,
		"within=1us": false, "within=1000000ns": false, "within=%2B1h": false, "within=.5h": false, "within=1.h": false, "within=h": false,
		"within=1%C2%B5s": false, "within=0s": false, "within=1h1h1h1h1h1h1h1h1h1h1h": false,
		"sport=%zz": false, "sport=%": false, "sport=%4": false, "%zz=1": false, "sport=%53": true, "sport=a%25": true,
		"exclude=%E2%80%8B": false, "exclude=a%E2%80%8B": true,
	} {
		want := 400
		if taken {
			want = 200
		}
		if a := g.ask("GET", "/v1/recommendations?user_id=u&"+query, ""); a.status != want {
			t.Errorf("%s: %d, want %d: %.200s", query, a.status, want, a.body)
		}
	}
	for _, path := range []string{
		"/v1/recommendations?user_id=%E2%80%8B", "/recommend?user_id=%E2%80%8B", "/v1/users/%E2%80%8B", "/v1/events/%E2%80%8B%EF%BB%BF", "/v1/users/u1?%zz",
	} {
		g.want(g.ask("GET", path, ""), 400)
	}
}
