"""Write the three real sets that scikit-learn ships (tumours, wine, diabetes) as CSV files with readable names."""

from pathlib import Path

import pandas as pd
from shelf import folder_from_command_line, put
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

RETRIEVED = "2026-11-24"
CREATIVE_COMMONS = "CC BY 4.0"

TUMOURS = {
    "name": "tumours",
    "title": "Breast tumours: benign or malignant",
    "source": "Wolberg, Mangasarian, Street and Street (1993), Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C5DW2B; as shipped with scikit-learn (load_breast_cancer)",
    "licence": CREATIVE_COMMONS,
    "retrieved_at": RETRIEVED,
    "target": "diagnosis",
    "task": "binary",
    "known_flaws": [
        "Many columns measure nearly the same thing: radius, perimeter and area correlate above 0.98.",
        "Patients of one clinic, 1989 to 1991: not a sample of all patients.",
    ],
    "description": "569 patients, one row each. Ten features of the cell nuclei in a fine-needle sample of a breast mass, each as mean, "
    "standard error and worst (mean of the three largest) over the nuclei; 212 masses were malignant, 357 benign.",
}
WINE = {
    "name": "wine",
    "title": "Wine: three cultivars told apart by chemistry",
    "source": "Aeberhard and Forina (1992), Wine, UCI Machine Learning Repository, https://doi.org/10.24432/C5PC7J; "
    "as shipped with scikit-learn (load_wine)",
    "licence": CREATIVE_COMMONS,
    "retrieved_at": RETRIEVED,
    "target": "cultivar",
    "task": "multiclass",
    "known_flaws": ["Only 178 rows: intervals are wide, and most models reach nearly perfect scores."],
    "description": "178 wines from one region of Italy and three cultivars (59, 71 and 48 wines): 13 measurements of a chemical analysis.",
}
DIABETES = {
    "name": "diabetes",
    "title": "Diabetes: progression after one year",
    "source": "Efron, Hastie, Johnstone and Tibshirani (2004), Least Angle Regression, Annals of Statistics 32 (2), "
    "https://doi.org/10.1214/009053604000000067; as shipped with scikit-learn (load_diabetes, unscaled)",
    "licence": "published with the paper without a licence of its own; distributed with scikit-learn (BSD-3-Clause)",
    "retrieved_at": RETRIEVED,
    "target": "progression",
    "task": "regression",
    "roles": {"sex": "categorical"},
    "known_flaws": [
        "Total cholesterol and its LDL part measure nearly the same thing (correlation 0.90).",
        "The total/HDL ratio is derived from two other columns.",
        "The meaning of the two sexes' codes (1 and 2) is not recorded.",
    ],
    "description": "442 diabetes patients: age, sex, body mass index, mean blood pressure and six blood serum measurements at the start, "
    "and a measure of how far the disease had progressed one year later (25 to 346; higher is worse).",
}
SERUM = {
    "s1": "total_cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_hdl_ratio",
    "s5": "log_triglycerides",
    "s6": "blood_sugar",
}


def tumours() -> pd.DataFrame:
    "Breast cancer with underscores in its names and the diagnosis in words."
    raw = load_breast_cancer(as_frame=True)
    table = raw.data.rename(columns=lambda c: c.replace(" ", "_"))
    return table.assign(diagnosis=raw.target.map(dict(enumerate(raw.target_names.tolist()))))


def wine() -> pd.DataFrame:
    "Wine with its longest name shortened; the cultivars have no names in the source."
    raw = load_wine(as_frame=True)
    table = raw.data.rename(columns={"od280/od315_of_diluted_wines": "od280_od315"})
    return table.assign(cultivar=raw.target.map({0: "cultivar 1", 1: "cultivar 2", 2: "cultivar 3"}))


def diabetes() -> pd.DataFrame:
    "Diabetes in its original units (scikit-learn's default is centred and scaled)."
    raw = load_diabetes(as_frame=True, scaled=False)
    return raw.data.rename(columns={"bp": "blood_pressure"} | SERUM).assign(progression=raw.target)


def main(out: Path):
    for table, card in ((tumours(), TUMOURS), (wine(), WINE), (diabetes(), DIABETES)):
        put(table, card, out)


if __name__ == "__main__":
    main(folder_from_command_line(__doc__))
