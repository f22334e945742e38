"""Writes beta.json: incomplete beta functions and what is made of them, by SciPy.

    python3 test/golden/make_beta.py > test/golden/beta.json

Quantiles are SciPy's after a step of Newton's: its own have up to six digits in the tails.
"""
import json
import scipy
import scipy.special as special
import scipy.stats as stats

rows = []
for a, b in ((2, 3), (0.5, 0.5), (1e-2, 2), (150, 30), (30, 0.01), (1, 1), (4000, 9000)):
    for x in (0, 1e-12, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9, 1):
        rows.append([a, b, x, special.betainc(a, b, x)])
inverse = [[a, b, p, special.betaincinv(a, b, p)] for a, b in ((2, 3), (0.5, 0.5), (150, 30), (0.2, 7), (1, 1)) for p in (0, 1e-9, 0.01, 0.3, 0.5, 0.9, 0.999, 1)]


def quantile(d, p):
    x = d.ppf(p)
    for _ in range(3):
        x -= (d.cdf(x) - p) / d.pdf(x)
    return float(x)


x = [-300.0, -7.0, -1.3, -1e-9, 0.0, 0.2, 2.5, 40.0]
p = [1e-12, 0.01, 0.24, 0.26, 0.5, 0.6, 0.9, 0.9999]
out = {"version": scipy.__version__, "betainc": rows, "betaincinv": inverse}
out["StudentT"] = [[df, [float(v) for v in stats.t.cdf(x, df)], [quantile(stats.t(df), q) for q in p]] for df in (0.5, 1, 3, 30.5)]
out["FisherSnedecor"] = [[d1, d2, [float(v) for v in stats.f.cdf([0.0, 0.3, 1.0, 4.0], d1, d2)], [quantile(stats.f(d1, d2), q) for q in p]] for d1, d2 in ((1, 2), (3, 6), (20, 5.5))]
out["Binomial"] = [[n, q, [float(v) for v in stats.binom.cdf(range(n + 1), n, q)]] for n, q in ((1, 0.3), (7, 0.9), (20, 0.01))]
print(json.dumps(out))
