"""Vẽ lại biểu đồ tuổi thọ từ du-lieu/tuoi-tho.csv (cần matplotlib).
Draws the life expectancy chart again from du-lieu/tuoi-tho.csv (needs matplotlib).
"""

import csv
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.rcParams["svg.fonttype"] = "none"
plt.rcParams["svg.hashsalt"] = "tuoi-tho"

series = defaultdict(list)
with open("du-lieu/tuoi-tho.csv", encoding="utf-8", newline="") as table:
    for row in csv.DictReader(table):
        series[row["quoc_gia"]].append((int(row["year"]), float(row["lifeExp"])))

figure, axes = plt.subplots(figsize=(9, 5.6))
# Nhãn cuối đường không được chồng lên nhau / labels at the line ends must not overlap
ends = sorted((points[-1][1], country) for country, points in series.items())
height = 0.0
for value, country in ends:
    bold = country == "Việt Nam"
    years, values = zip(*series[country])
    colour = "#b3261e" if bold else "#7a8794"
    axes.plot(years, values, color=colour, linewidth=2.8 if bold else 1.2, zorder=3 if bold else 2)
    height = max(value, height + 1.7)
    axes.annotate(country, (2007, value), xytext=(2010.5, height), color=colour,
                  arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6,
                              "relpos": (0, 0.5), "shrinkA": 0, "shrinkB": 0},
                  fontweight="bold" if bold else "normal", va="center")
axes.set_xlim(1952, 2019)
axes.set_xticks(range(1952, 2008, 5))
axes.set_ylabel("Tuổi thọ trung bình khi sinh (năm)\nLife expectancy at birth (years)")
axes.set_title("Tuổi thọ ở tám nước Đông Nam Á, 1952–2007", loc="left", fontweight="bold")
for side in ("top", "right"):
    axes.spines[side].set_visible(False)
axes.grid(axis="y", color="#e3e6ea")
figure.text(0.01, 0.01, "Nguồn / Source: Gapminder.org (CC BY 3.0)", fontsize=8, color="#555")
figure.tight_layout(rect=(0, 0.03, 1, 1))
figure.savefig("tuoi-tho.png", dpi=110)
figure.savefig("tuoi-tho.svg", metadata={"Date": None})
