"""Write rentals.csv: invented flats to let, with every flaw that real tables have, and rentals.truth.json that lists the flaws.

The script reads from top to bottom: first a clean world (cities, buildings, flats, rents, and which flats are let within a week), then the
damage, one function a flaw, then the truth, read off the finished table. Columns that start with "_" are known to this script alone:
they mark what was damaged and are left out of the file. One seed drives everything: the same numpy and pandas give the same bytes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from shelf import folder_from_command_line, put, write_json

SEED = 20240101
ROWS = 6300  # clean listings, before duplicates are added
BUILDINGS = 560
FIRST_DAY, LAST_DAY = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-06-30")
SHIFT = pd.Timestamp("2025-04-01")  # from here on the market is another one
SQUARE_FEET = 10.7639  # in a square metre

# city: share of the buildings, rent level (log), pull on quick letting
CITIES = {
    "Löwenmark": (0.22, 0.30, 0.45),
    "Port Émile": (0.19, 0.14, 0.10),
    "Åsholm": (0.16, 0.22, 0.30),
    "Brünnstadt": (0.15, 0.00, -0.15),
    "Čeravice": (0.11, -0.12, -0.35),
    "Valdoria": (0.09, -0.05, 0.00),
    "Nørrehavn": (0.055, 0.06, -0.10),
    "Quellfurt": (0.025, -0.20, 0.00),
}
NOISY_CITY = "Quellfurt"  # few rows, and noise in both targets
SPELLINGS = {"Port Émile": {"Port Émile": 0.76, "Port Emile": 0.16, "PORT ÉMILE": 0.08}}
DISTRICT_STARTS = ["Alt", "Neu", "Ober", "Nieder", "Hafen", "Mühl", "Linden", "Kloster"]
DISTRICT_ENDS = ["au", "berg", "dorf", "feld", "grund", "hof", "see", "wald"]
STREET_STARTS = (
    "Ahorn Amsel Apfel Birken Brunnen Buchen Distel Erlen Eschen Falken Fichten Flieder Garten Ginster Hasel Holunder Kastanien Kiefern "
    "Kirsch König Lärchen Lerchen Mandel Meisen Möwen Nuss Pappel Quitten Rosen Schlehen Spatzen Tannen Ulmen Veilchen Wachtel Weiden"
).split()
STREET_ENDS = ["straße", "weg", "gasse", "allee", "ufer", "ring"]
SLIPS = {"year_built": ([1066, 2207, 202, 20014], 10), "floor": (["99"], 8), "deposit_months": ([20, 24, 30], 14)}  # values, how many

# agent: share of the listings, pull on quick letting
AGENTS = {
    "Bergmann & Töchter": (0.20, 0.35),
    "Casa Nöldeke": (0.16, 0.10),
    "Harbour & Howe": (0.12, 0.00),  # thinks in square feet
    "Immo Żółw": (0.10, -0.45),
    "Kontor Lund": (0.10, 0.20),
    "Maison Lefèvre": (0.08, 0.05),
    "private": (0.24, -0.25),
}
NEW_AGENT = "Rentio"  # appears with the shift
CONDITIONS = ["poor", "fair", "good", "new"]
HEATINGS = ["gas", "district", "oil", "electric", "heat pump"]

# what a description may say: words if so, effect on the log rent, effect on quick letting, share of flats
EXTRAS = {
    "balcony": (["with balcony", "sunny balcony", "balcony to the south"], 0.05, 0.80, 0.35),
    "quiet": (["quiet courtyard", "very quiet", "quiet side street"], 0.02, 0.50, 0.30),
    "kitchen": (["fitted kitchen", "new kitchen"], 0.04, 0.45, 0.40),
    "noise": (["on a busy road", "above a bar", "next to the tram depot"], -0.06, -1.00, 0.18),
    "work": (["some repairs needed", "needs paint"], -0.05, -0.80, 0.15),
}
COLUMNS = """listing_id listed_on country city district building floor rooms area condition heating furnished pets_allowed year_built
energy_kwh distance_center_km photos deposit_months agent description price price_per_m2 days_on_market let_within_week"""
OPENINGS = ["Bright flat", "Flat", "Charming flat", "Well-cut home", "Pleasant flat", "Cosy home", "Spacious flat"]
PLACES = ["the station", "the park", "the river", "the market", "the university", "the school", "Café Løvel", "Müller's bakery"]


# ---------------------------------------------------------------- the clean world
def pick(rng, options, weights, n):
    "Draw n options with these weights (they need not add up to 1)."
    weights = np.asarray(list(weights), float)
    return np.array(list(options), object)[rng.choice(len(weights), n, p=weights / weights.sum())]


def make_buildings(rng) -> pd.DataFrame:
    "One row a building: its address and what all of its flats share."
    n = BUILDINGS
    city = pick(rng, CITIES, [c[0] for c in CITIES.values()], n)
    street = [a + e for a in STREET_STARTS for e in STREET_ENDS]
    numbers = rng.permutation(len(street) * 30)[:n]  # every (street, number) pair at most once
    year = np.where(rng.random(n) < 0.35, rng.integers(1880, 1946, n), rng.integers(1946, 2021, n))
    built_late = rng.random(n) < 0.10
    opens = np.where(built_late, rng.integers(250, 480, n), 0)  # the first day with a listing
    opens = np.where(rng.random(n) < 0.17, rng.integers(440, 500, n), opens)  # owners who come to the portal only in spring 2025
    distance = np.round(rng.gamma(2.2, 1.7, n) + 0.2, 2)
    energy = 235 - 1.35 * (year - 1900).clip(0) + rng.normal(0, 32, n)
    return pd.DataFrame(
        {
            "city": city,
            "district": district_names(rng, city),
            "building": [f"{street[i // 30]} {i % 30 + 1}" for i in numbers],
            "year_built": np.where(built_late, rng.integers(2021, 2025, n), year),
            "energy_kwh": np.round(np.where(built_late, rng.normal(48, 8, n), energy).clip(25, 360)),
            "distance_center_km": distance,
            "storeys": rng.integers(2, 9, n),
            "weight": rng.gamma(1.6, 1.0, n) + 0.15,
            "opens": opens,
            "charm": rng.normal(0, 1, n),  # seen in no column: what tells flats of one building apart from others
            "rent_effect": rng.normal(0, 0.055, n),
        }
    )


def district_names(rng, city) -> list[str]:
    "Name a district for each building: eight to a city, two in the noisy one."
    names = [a + e for a in DISTRICT_STARTS for e in DISTRICT_ENDS]
    start = {c: 8 * i for i, c in enumerate(CITIES)}
    return [names[start[c] + rng.integers(0, 2 if c == NOISY_CITY else 8)] for c in city]


def make_listings(rng, buildings) -> pd.DataFrame:
    "One row a listing, ordered by day: which building, which day, and the flat itself."
    day = np.sort(rng.integers(0, (LAST_DAY - FIRST_DAY).days + 1, ROWS))
    house = np.array(
        [rng.choice(len(buildings), p=w / w.sum()) for w in (buildings.weight.to_numpy() * (buildings.opens.to_numpy() <= d) for d in day)]
    )
    t = buildings.iloc[house].reset_index(drop=True)
    t.insert(0, "listed_on", FIRST_DAY + pd.to_timedelta(day, unit="D"))
    t["late"] = t.listed_on >= SHIFT
    t["floor"] = (rng.random(ROWS) * (t.storeys + 1)).astype(int)
    t["rooms"] = pick(rng, [1, 2, 3, 4, 5], [0.17, 0.34, 0.28, 0.15, 0.06], ROWS).astype(int)
    t["area"] = np.round((14 + 21.5 * t.rooms) * np.exp(rng.normal(0, 0.17, ROWS)), 0)
    condition = 1.6 + 0.012 * (t.year_built - 1960) + rng.normal(0, 0.75, ROWS)
    t["condition"] = np.array(CONDITIONS, object)[np.where(t.year_built >= 2021, 3, condition.round().clip(0, 3)).astype(int)]
    t["furnished"] = rng.random(ROWS) < np.where(t.rooms <= 2, 0.30, 0.12)
    t["pets_allowed"] = rng.random(ROWS) < 0.45
    t["photos"] = rng.poisson(7, ROWS).clip(0, 24)
    t["deposit_months"] = pick(rng, [1, 2, 3], [0.15, 0.30, 0.55], ROWS).astype(int)
    t["heating"], t["agent"] = heating(rng, t), agent(rng, t)
    for name, (_, _, _, share) in EXTRAS.items():
        t[name] = rng.random(ROWS) < share
    return t


def heating(rng, t):
    "Draw the heating: heat pumps in new buildings, and in many more from the shift on."
    common = pick(rng, HEATINGS[:4], [0.48, 0.27, 0.17, 0.08], ROWS)
    pump = rng.random(ROWS) < np.where(t.late, 0.30, 0.06) + 0.5 * (t.year_built >= 2010)
    return np.where(pump, "heat pump", common)


def agent(rng, t):
    "Draw the agent: from the shift on, a new one takes a part of the market."
    old = pick(rng, AGENTS, [a[0] for a in AGENTS.values()], ROWS)
    return np.where(t.late & (rng.random(ROWS) < 0.22), NEW_AGENT, old)


def add_price(rng, t) -> pd.DataFrame:
    "Rent in euros a month: log-linear in what one sees, with a building's and a flat's own part; 12 % dearer from the shift on."
    quality = t.condition.map({"poor": -0.16, "fair": -0.06, "good": 0.0, "new": 0.12}).astype(float)
    level = t.city.map({c: v[1] for c, v in CITIES.items()}).astype(float)
    district = t.district.map(dict(zip(sorted(set(t.district)), rng.normal(0, 0.09, t.district.nunique()), strict=True)))
    extras = sum(effect * t[name] for name, (_, effect, _, _) in EXTRAS.items())
    flat = rng.normal(0, np.where(t.city == NOISY_CITY, 0.30, 0.085))
    log_price = 3.35 + 0.80 * np.log(t.area) + level + district + quality + extras + 0.10 * t.furnished - 0.028 * t.distance_center_km
    log_price += 0.012 * t.floor - 0.0007 * (t.energy_kwh - 130) + np.log(1.12) * t.late + t.rent_effect + flat
    t["price"] = (np.exp(log_price) / 5).round().astype(int) * 5
    t["dear"] = flat  # how far the rent lies above what such a flat costs
    return t


def letting_score(t) -> pd.Series:
    "What draws tenants, on the log-odds scale; from the shift on, furnished flats lose their pull and heat pumps gain one."
    score = 1.15 * t.charm - 5.0 * t.dear.where(t.city != NOISY_CITY, 0) - 0.011 * (t.area - 65) - 0.14 * (t.distance_center_km - 4)
    score += t.city.map({c: v[2] for c, v in CITIES.items()}).astype(float)
    score += t.agent.map({a: v[1] for a, v in AGENTS.items()} | {NEW_AGENT: 0.3}).astype(float)
    score += t.condition.map({"poor": -1.0, "fair": -0.35, "good": 0.15, "new": 0.8}).astype(float)
    score += sum(pull * t[name] for name, (_, _, pull, _) in EXTRAS.items())
    score += 0.09 * (t.photos - 7) + 0.35 * t.pets_allowed - 0.007 * (t.energy_kwh - 130) - 0.2 * (t.deposit_months - 2)
    score += np.where(t.furnished, np.where(t.late, -0.4, 0.9), 0) + np.where(t.late & (t.heating == "heat pump"), 0.5, 0)
    return score + 0.35 * t.listed_on.dt.month.isin([8, 9, 10])


def add_letting(rng, t) -> pd.DataFrame:
    "Days until the flat was let, and the default target: let within a week (about 8 %)."
    score = letting_score(t)
    chance = 1 / (1 + np.exp(-(1.15 * score - 4.45)))
    chance = np.where(t.city == NOISY_CITY, 0.20, chance)  # there, letting has nothing to do with the flat
    yes = rng.random(ROWS) < chance
    t["days_on_market"] = np.where(yes, rng.integers(1, 8, ROWS), 8 + rng.gamma(1.8, 16, ROWS).astype(int))
    t["let_within_week"] = np.where(yes, "yes", "no")
    return t


def add_text(rng, t) -> pd.DataFrame:
    "A line of description that mentions most of the extras a flat has."
    parts = [list(pick(rng, OPENINGS, [1] * len(OPENINGS), ROWS))]
    for name, (words, _, _, _) in EXTRAS.items():
        said = t[name] & (rng.random(ROWS) < 0.92)
        parts.append(np.where(said, pick(rng, words, [1] * len(words), ROWS), ""))
    places, minutes = pick(rng, PLACES, [1] * len(PLACES), ROWS), rng.integers(2, 16, ROWS)
    near = [f"{m} min to {place}" for m, place in zip(minutes, places, strict=True)]
    parts.append(np.where(rng.random(ROWS) < 0.7, near, ""))
    t["description"] = [", ".join(p for p in row if p) for row in zip(*parts, strict=True)]
    return t


def tidy(t) -> pd.DataFrame:
    "Keep what a portal shows, in its order, as a portal would write it."
    t["listing_id"] = [f"R{100001 + i}" for i in range(len(t))]
    t["country"] = "Mittelland"
    t["price_per_m2"] = (t.price / t.area).round(2)
    for column in ("furnished", "pets_allowed"):
        t[column] = np.where(t[column], "yes", "no")
    t["_day"] = t.listed_on
    return t[[*COLUMNS.split(), "_day"]]


# ---------------------------------------------------------------- the damage, one function a flaw
def lose_floor(rng, t):
    "Missing at random: the floor, written in four ways."
    t["_no_floor"] = rng.random(len(t)) > 0.94
    t["floor"] = t.floor.astype(str).mask(t._no_floor, pick(rng, ["", "?", "-", "NA"], [0.4, 0.3, 0.15, 0.15], len(t)))
    return t


def lose_energy(rng, t):
    "Missing for a reason: owners of old, thirsty buildings leave the energy value out, and such flats are let more slowly."
    chance = 0.02 + 0.33 * (t.year_built < 1960) + 0.12 * (t.energy_kwh > 180)
    rows = rng.random(len(t)) < chance * np.where(t.let_within_week == "yes", 0.35, 1)
    t["_year"] = t.year_built
    t["energy_kwh"] = t.energy_kwh.mask(rows)
    return t


def slip(rng, t):
    "Outliers, as typing slips make them: years and floors that cannot be, and deposits that nobody asks."
    for column, (values, count) in SLIPS.items():
        known = t.index[t[column].astype(str).str.fullmatch(r"\d+")]
        rows = rng.choice(known, count, replace=False)
        t.loc[rows, column] = rng.choice(np.array(values, object if column == "floor" else t[column].dtype), count)
        t[f"_slip_{column}"] = t.index.isin(rows)
    return t


def write_area(rng, t):
    "Numbers with units in text, two units, and square feet without saying so."
    foreign, draw = t.agent == "Harbour & Howe", rng.random(len(t))
    t["_said"] = foreign & (draw < 0.45)
    t["_unsaid"] = foreign & (draw > 0.90) & (t.rooms >= 2)
    metres = t.area.astype(int).astype(str) + pick(rng, [" m²", " m2", ""], [0.60, 0.22, 0.18], len(t))
    feet = (t.area * SQUARE_FEET).round().astype(int).astype(str)
    t["area"] = metres.mask(t._said, feet + " sq ft").mask(t._unsaid, feet)
    return t


def spell_city(rng, t):
    "One city spelled three ways."
    t["_city"] = t.city
    for city, ways in SPELLINGS.items():
        t["city"] = t.city.mask(t._city == city, pick(rng, ways, ways.values(), len(t)))
    return t


def mix_dates(rng, t):
    "Three date formats in one column, the day before the month."
    t["_format"] = pick(rng, ["ISO", "dots", "words"], [0.70, 0.20, 0.10], len(t))
    ways = {f: t._day.dt.strftime(f) for f in ("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y")}
    words = ways["%d %b %Y"].str.lstrip("0")
    t["listed_on"] = ways["%Y-%m-%d"].mask(t._format == "dots", ways["%d.%m.%Y"]).mask(t._format == "words", words)
    return t


def add_leaks(rng, t):
    "A bonus that is paid only for quick letting; and the days on the market, unknown for flats that are still open at the end."
    paid = (t.let_within_week == "yes") & (rng.random(len(t)) < 0.96)
    t["bonus_eur"] = np.where(paid, pick(rng, [100, 150, 200], [1, 1, 1], len(t)), 0).astype(int)
    open_still = t._day + pd.to_timedelta(t.days_on_market, unit="D") > LAST_DAY + pd.Timedelta(days=7)
    t["days_on_market"] = t.days_on_market.mask(open_still).astype("Int64")
    return t


def repeat_rows(rng, t):
    "Exact duplicates (a record exported twice) and near-duplicates (a flat entered again, with small edits)."
    twice = t.loc[np.sort(rng.choice(t.index, 60, replace=False))].assign(_twice=True)
    rest = t.index[~t.index.isin(twice.index) & (t._day < LAST_DAY - pd.Timedelta(days=5))]
    again = t.loc[np.sort(rng.choice(rest, 140, replace=False))].assign(_again=True)
    again["listing_id"] = [f"R{200001 + i}" for i in range(len(again))]
    again["_day"] += pd.to_timedelta(rng.integers(0, 4, len(again)), unit="D")
    again["listed_on"], again["_format"] = again._day.dt.strftime("%Y-%m-%d"), "ISO"
    again["photos"] += rng.integers(0, 2, len(again))
    again["description"] = again.description + pick(rng, ["!", ".", ", call now", ", again free"], [1, 1, 1, 1], len(again))
    whole = pd.concat([t.assign(_twice=False, _again=False), twice.assign(_again=False), again.assign(_twice=False)])
    return whole.sort_values("_day", kind="stable", ignore_index=True)


# ---------------------------------------------------------------- the truth, read off the finished table
def flaw(name, columns, rows, detail, target=None, seen_by=None) -> dict:
    "One entry of the truth file. `rows` marks the rows: up to 100 of them are listed by number (from 0), more are counted."
    where = np.flatnonzero(np.asarray(rows, bool))
    shown = where.tolist() if 0 < len(where) <= 100 else len(where)
    text = detail.format(rows=len(where))
    return {"flaw": name, "columns": columns.split(), "rows": shown, "detail": text, "target": target, "seen_by": seen_by}


def missing_values(t) -> list[dict]:
    "Missing at random, and missing for a reason."
    lost, old, yes = t.energy_kwh.isna(), t._year < 1960, t.let_within_week == "yes"
    spelled = ", ".join(f"{way!r} {(t.floor == way).sum()}" for way in ("", "?", "-", "NA"))
    energy = f"energy_kwh is missing in {{rows}} rows: in {lost[old].mean():.1%} of the flats in buildings from before 1960 and in "
    energy += f"{lost[~old].mean():.1%} of the others; {yes[lost].mean():.1%} of them are let within a week, else {yes[~lost].mean():.1%}"
    return [
        flaw("missing_at_random", "floor", t._no_floor, "the floor is missing in {rows} rows, whatever the flat", None, "collect"),
        flaw("missing_spellings", "floor", t._no_floor, f"missing floors are spelled in four ways: {spelled}", None, "collect"),
        flaw("missing_for_a_reason", "energy_kwh", lost, energy, "let_within_week", "explore"),
    ]


def wrong_values(t) -> list[dict]:
    "Outliers, and areas in square feet."
    found = []
    for column, (values, _) in SLIPS.items():
        detail = f"{{rows}} values of {column} are slips: {', '.join(map(str, values))}"
        found.append(flaw("outliers", column, t[f"_slip_{column}"], detail, None, "explore"))
    bare = t.area.str.fullmatch(r"\d+")
    feet, metres = t.area[t._unsaid].astype(int).min(), t.area[bare & ~t._unsaid].astype(int).max()
    unsaid = "{rows} bare numbers in area are square feet without saying so, all from Harbour & Howe and 10.76 times too large "
    unsaid += f"(the smallest is {feet}; the largest bare number in square metres is {metres})"
    return found + [
        flaw("numbers_with_units", "area", ~bare, f"{{rows}} areas are text with a unit; {bare.sum()} have none", None, "collect"),
        flaw("unit_mix_up", "area", t._said, "{rows} areas are in square feet ('915 sq ft'), the others in square metres", None, "collect"),
        flaw("unit_mix_up_unsaid", "area", t._unsaid, unsaid, None, "explore"),
    ]


def wrong_spellings(t) -> list[dict]:
    "Cities and dates written in several ways."
    found = []
    for city, ways in SPELLINGS.items():
        counts = ", ".join(f"{way!r} {(t.city == way).sum()}" for way in ways)
        found.append(flaw("spelling_variants", "city", (t._city == city) & (t.city != city), f"one city: {counts}", None, "collect"))
    n = t._format.value_counts()
    dates = f"three formats in one column: {n['ISO']} like 2025-03-07, {n['dots']} like 07.03.2025, {n['words']} like 7 Mar 2025"
    return found + [flaw("mixed_dates", "listed_on", t._format != "ISO", dates, None, "collect")]


def repeated_rows(t) -> list[dict]:
    "Duplicates and near-duplicates."
    near = "{rows} listings were entered again up to 3 days later: another listing_id, at most one more photo, some letters in the text"
    return [
        flaw("exact_duplicates", "", t._twice, "{rows} records occur twice, equal in every column", None, "collect"),
        flaw("near_duplicates", "listing_id listed_on photos description", t._again, near, None, "split"),
    ]


def useless_columns(t) -> list[dict]:
    "A constant, an id, and three columns that give a target away."
    everywhere, yes, known = t.price > 0, t.let_within_week == "yes", t.days_on_market.notna()
    bonus = f"the agent's bonus for quick letting: paid for {{rows}} of the {yes.sum()} flats let within a week, 0 for all others"
    days = (
        f"known only after the letting: at most 7 exactly where the target is yes; empty for {(~known).sum()} flats still open at the end"
    )
    return [
        flaw("constant", "country", everywhere, "every listing is in Mittelland", None, "collect"),
        flaw("id", "listing_id", everywhere, "a number that the portal gives, in order of listing", None, "collect"),
        flaw("leak_derived_from_the_target", "bonus_eur", t.bonus_eur > 0, bonus, "let_within_week", "explore"),
        flaw("leak_after_the_event", "days_on_market", known, days, "let_within_week", "explore"),
        flaw("leak_derived_from_the_target", "price_per_m2", everywhere, "the price divided by the true area", "price", "explore"),
    ]


def uneven_rows(t) -> list[dict]:
    "The shift of the last months and the noisy city: both are in the clean world already."
    late, small = t._day >= SHIFT, t._city == NOISY_CITY
    pump, new = t.heating == "heat pump", t.agent == NEW_AGENT
    shift = "from 2025-04-01 on ({rows} rows) rents are 12 % higher, furnished flats lose their pull, heat pumps are in "
    shift += (
        f"{pump[late].mean():.0%} of the flats (before: {pump[~late].mean():.0%}), and a new agent, {NEW_AGENT}, has {new[late].mean():.0%}"
    )
    coin = f"{NOISY_CITY} has {{rows}} listings; there letting within a week is a coin with 20 % yes, and rents scatter 3.5 times as much"
    return [
        flaw("shift", "listed_on price heating agent furnished", late, shift, None, "evaluate"),
        flaw("small_noisy_city", "city", small, coin, None, "evaluate"),
    ]


CARD = {
    "name": "rentals",
    "title": "Flats to let in eight invented cities",
    "source": f"invented: written by data/make_rentals.py with the seed {SEED}",
    "licence": "CC0 1.0",
    "retrieved_at": "2026-11-24",
    "target": "let_within_week",
    "task": "binary",
    "roles": {"price": "ignored"},
    "group": "building",
    "time": "listed_on",
    "description": "Listings of a rental portal, January 2024 to June 2025, one row each; several listings in a building. Two targets: "
    "was the flat let within a week (about 8 % yes), and its rent in euros a month (then give let_within_week the role 'ignored'). "
    "The table is meant to be wrong in every way that real tables are; rentals.truth.json lists how.",
}
DAMAGE = [lose_floor, lose_energy, slip, write_area, spell_city, mix_dates, add_leaks, repeat_rows]
TRUTH = [missing_values, wrong_values, wrong_spellings, repeated_rows, useless_columns, uneven_rows]


def main(out: Path):
    rng = np.random.default_rng(SEED)
    table = make_listings(rng, make_buildings(rng))
    for make in (add_price, add_letting, add_text):
        table = make(rng, table)
    table = tidy(table)
    for damage in DAMAGE:
        table = damage(rng, table)
    truth = [entry for read_off in TRUTH for entry in read_off(table)]
    shown = [c for c in table if not c.startswith("_") and c != "let_within_week"]
    flaws = [f"{', '.join(entry['columns']) or 'all columns'}: {entry['detail']}" for entry in truth]
    put(table[[*shown, "let_within_week"]], CARD | {"known_flaws": flaws}, out)
    write_json(truth, out / "rentals.truth.json")


if __name__ == "__main__":
    main(folder_from_command_line(__doc__))
