package generator

// nations that simulated users come from.
var nations = []struct{ country, currency string }{
	{"Bulgaria", "BGN"}, {"Brazil", "BRL"}, {"England", "GBP"}, {"France", "EUR"}, {"Germany", "EUR"},
	{"Greece", "EUR"}, {"Italy", "EUR"}, {"Netherlands", "EUR"}, {"Poland", "PLN"}, {"Portugal", "EUR"},
	{"Romania", "RON"}, {"Spain", "EUR"}, {"Sweden", "SEK"}, {"Turkey", "TRY"}, {"USA", "USD"},
}

// surnames of simulated players.
var surnames = []string{
	"Adler", "Almeida", "Andersen", "Baker", "Barros", "Becker", "Bianchi", "Carter", "Castillo", "Costa", "Dimitrov", "Dubois",
	"Eriksson", "Ferrari", "Fischer", "Garcia", "Georgiev", "Hansen", "Horvat", "Ivanov", "Jansen", "Kaya", "Keller", "Kowalski",
	"Laurent", "Lopez", "Marin", "Martin", "Meyer", "Moreau", "Nikolov", "Novak", "Olsen", "Papadakis", "Pereira", "Petrov",
	"Popescu", "Ricci", "Romano", "Rossi", "Santos", "Silva", "Smith", "Stoyanov", "Torres", "Visser", "Weber", "Yilmaz",
}

// competition is a league of the simulated sportsbook.
type competition struct {
	sport, league, country string
	draws                  bool    // games may end level
	following              float64 // how much of the public follows it
	teams                  []string
}

// competitions of the simulated sportsbook. The clubs are invented.
var competitions = []competition{
	{"Football", "First Division", "England", true, 10, clubs("Ashford", "Bexley", "Carlow", "Dunmore", "Elmstead", "Farnham", "Granby", "Halden", "Ivybridge", "Kendal", "Ludlow", "Marlow", "Norwood", "Oakham", "Penrith", "Ripley")},
	{"Football", "Liga Primera", "Spain", true, 8, clubs("Almera", "Bardena", "Castrillo", "Duero", "Estella", "Fraga", "Gandara", "Huerta", "Illora", "Jumilla", "Lorca", "Medina", "Navas", "Orgaz")},
	{"Football", "Serie Uno", "Italy", true, 6, clubs("Albenga", "Belluno", "Carrara", "Dolce", "Erice", "Fasano", "Gorizia", "Imola", "Jesolo", "Lecco", "Melfi", "Nola")},
	{"Football", "Bundesklasse", "Germany", true, 6, clubs("Altfeld", "Birkenau", "Dornbach", "Eschweiler", "Falken", "Grunau", "Hollern", "Isental", "Kronach", "Lindau", "Murnau", "Neuhof")},
	{"Football", "Parva Liga", "Bulgaria", true, 3, clubs("Balkan", "Chernomor", "Dunav", "Etar", "Gorica", "Hebros", "Iskar", "Kamchia", "Marica", "Osam")},
	{"Basketball", "Continental League", "Europe", false, 5, clubs("Arcadia", "Borealis", "Corvus", "Draco", "Electra", "Fornax", "Gemini", "Hydra", "Lyra", "Orion")},
	{"Basketball", "National Hoops", "USA", false, 7, clubs("Atlas", "Bisons", "Comets", "Dukes", "Eagles", "Flames", "Giants", "Hornets", "Kings", "Lakers Town", "Mustangs", "Nomads")},
	{"Tennis", "Grand Tour", "World", false, 6, surnames[:24]},
	{"Tennis", "Women's Tour", "World", false, 4, surnames[24:]},
	{"Ice Hockey", "Northern Hockey", "Sweden", false, 3, clubs("Arvika", "Boden", "Falun", "Gavle", "Kalix", "Lulea Bay", "Mora", "Orsa", "Ransta", "Timra North")},
	{"Volleyball", "Super Volley", "Poland", false, 2, clubs("Bielany", "Chorza", "Dabrowa", "Elbla", "Gniewo", "Jawor", "Krosno", "Lesko")},
	{"American Football", "Union Football", "USA", false, 4, clubs("Anchors", "Bulldogs", "Cyclones", "Drillers", "Express", "Foxes", "Grizzlies", "Huskies", "Ironmen", "Jesters")},
}

func clubs(names ...string) []string { return names }
