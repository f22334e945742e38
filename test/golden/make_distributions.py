"""PyTorch's numbers for distributions.json: python3 make_distributions.py (torch 1.13, scipy)"""
import json, math, os
import torch, torch.distributions as D
from scipy import special

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
t = lambda *v: torch.tensor(v)

# name: (ours, constructor's arguments as JSON, theirs, values)
def spec(name, args, theirs, values): return dict(name=name, args=args, theirs=theirs, values=values)
T = lambda x: dict(tensor=x)
specs = [
    spec('Normal', [T([0., 1, -2]), T([1., 0.5, 3])], D.Normal(t(0., 1, -2), t(1., .5, 3)), [0., [0.3, 1.7, -9]]),
    spec('LogNormal', [T([0., 1]), T([1., 0.5])], D.LogNormal(t(0., 1), t(1., .5)), [0.5, [3., 0.01]]),
    spec('Laplace', [T([0., 1]), T([1., 0.5])], D.Laplace(t(0., 1), t(1., .5)), [0.5, [-3., 1]]),
    spec('Uniform', [T([0., -1]), T([1., 5])], D.Uniform(t(0., -1), t(1., 5)), [0.5, [0.9, 4.5]]),
    spec('Exponential', [T([0.5, 2])], D.Exponential(t(0.5, 2)), [0.5, [0., 4]]),
    spec('Gamma', [T([0.5, 2, 30]), T([1., 0.5, 4])], D.Gamma(t(.5, 2, 30), t(1., .5, 4)), [0.5, [1e-3, 7, 8]]),
    spec('Chi2', [T([1., 4.5])], D.Chi2(t(1., 4.5)), [0.5, [2., 9]]),
    spec('Beta', [T([0.5, 2, 8]), T([0.5, 3, 1])], D.Beta(t(.5, 2, 8), t(.5, 3, 1)), [0.5, [1e-3, 0.7, 0.99]]),
    spec('Dirichlet', [T([[1., 2, 3], [0.5, 0.5, 9]])], D.Dirichlet(torch.tensor([[1., 2, 3], [.5, .5, 9]])), [[0.2, 0.3, 0.5]]),
    spec('StudentT', [T([3., 1.5, 0.7, 40]), T([0., 1, 0, 2]), T([1., 2, 1, 0.1])], D.StudentT(t(3., 1.5, .7, 40), t(0., 1, 0, 2), t(1., 2, 1, .1)), [0.5, [-3., 1, 20, 2.1]]),
    spec('Bernoulli', [dict(probs=T([0.25, 0.5, 0.9]))], D.Bernoulli(t(.25, .5, .9)), [1., [0., 1, 1]]),
    spec('Bernoulli', [dict(logits=T([-30., 0, 2]))], D.Bernoulli(logits=t(-30., 0, 2)), [1., [0., 1, 0]]),
    spec('Geometric', [dict(probs=T([0.25, 0.9]))], D.Geometric(t(.25, .9)), [0., [3., 1]]),
    spec('Geometric', [dict(logits=T([-1., 2]))], D.Geometric(logits=t(-1., 2)), [4.]),
    spec('Poisson', [T([0.5, 12])], D.Poisson(t(.5, 12)), [3., [0., 20]]),
    spec('Binomial', [T([10., 4]), dict(probs=T([0.3, 0.9]))], D.Binomial(t(10., 4), t(.3, .9)), [3., [0., 4]]),
    spec('Binomial', [7, dict(logits=T([-2., 3]))], D.Binomial(7, logits=t(-2., 3)), [3., [0., 7]]),
    spec('Categorical', [dict(probs=T([[1., 2, 5], [1, 0, 0]]))], D.Categorical(torch.tensor([[1., 2, 5], [1, 0, 0]])), [[2, 0]]),
    spec('Categorical', [dict(logits=T([[0., 2, -5], [1, 700, 0]]))], D.Categorical(logits=torch.tensor([[0., 2, -5], [1, 700, 0]])), [[2, 1], [[0, 0], [1, 2]]]),
    spec('OneHotCategorical', [dict(probs=T([1., 2, 5]))], D.OneHotCategorical(t(1., 2, 5)), [[0., 1, 0]]),
    spec('Multinomial', [6, dict(probs=T([1., 2, 5]))], D.Multinomial(6, t(1., 2, 5)), [[1., 2, 3], [[0., 0, 6], [6, 0, 0]]]),
    spec('MultivariateNormal', [T([1., -1]), dict(covarianceMatrix=T([[2., 0.5], [0.5, 1]]))], D.MultivariateNormal(t(1., -1), torch.tensor([[2., .5], [.5, 1]])), [[0., 0], [[1., -1], [3, 3]]]),
    spec('MultivariateNormal', [T([[1., -1], [0, 0]]), dict(precisionMatrix=T([[2., 0.5], [0.5, 1]]))], D.MultivariateNormal(torch.tensor([[1., -1], [0, 0]]), precision_matrix=torch.tensor([[2., .5], [.5, 1]])), [[0., 0]]),
    spec('MultivariateNormal', [T([1., -1]), dict(scaleTril=T([[2., 0], [0.5, 1]]))], D.MultivariateNormal(t(1., -1), scale_tril=torch.tensor([[2., 0], [.5, 1]])), [[0., 0]]),
    spec('Gumbel', [T([0., 1]), T([1., 0.5])], D.Gumbel(t(0., 1), t(1., .5)), [0.5, [-1., 4]]),
    spec('HalfNormal', [T([1., 0.5])], D.HalfNormal(t(1., .5)), [0.5, [0., 2]]),
    spec('HalfCauchy', [T([1., 0.5])], D.HalfCauchy(t(1., .5)), [0.5, [0., 20]]),
    spec('Cauchy', [T([0., 1]), T([1., 0.5])], D.Cauchy(t(0., 1), t(1., .5)), [0.5, [-30., 1]]),
    spec('Weibull', [T([1., 3, 2]), T([1.5, 4, 30])], D.Weibull(t(1., 3, 2), t(1.5, 4, 30)), [0.5, [0.1, 2, 2.2]]),
    spec('Pareto', [T([1., 0.5, 2]), T([3., 2, 0.7])], D.Pareto(t(1., .5, 2), t(3., 2, .7)), [2.5, [1., 9, 2.]]),
    spec('VonMises', [T([0., 1]), T([0.5, 20])], D.VonMises(t(0., 1), t(.5, 20)), [0.5, [-3., 1]]),
    spec('NegativeBinomial', [T([3., 0.5]), dict(probs=T([0.25, 0.9]))], D.NegativeBinomial(t(3., .5), t(.25, .9)), [0., [4., 20]]),
    spec('NegativeBinomial', [7, dict(logits=T([-2., 1]))], D.NegativeBinomial(7, logits=t(-2., 1)), [3., [0., 11]]),
    spec('FisherSnedecor', [T([3., 1, 10]), T([6., 5, 1.5])], D.FisherSnedecor(t(3., 1, 10), t(6., 5, 1.5)), [0.5, [1., 2, 30]]),
    spec('Kumaraswamy', [T([2., 1, 3]), T([1., 4, 2.5])], D.Kumaraswamy(t(2., 1, 3), t(1., 4, 2.5)), [0.5, [0.1, 0.9, 0.7]]),
    spec('LogisticNormal', [T([[0., 1], [-2, 3]]), T([1., 0.5])], D.LogisticNormal(torch.tensor([[0., 1], [-2, 3]]), t(1., .5)), [[0.2, 0.3, 0.5], [[0.01, 0.98, 0.01], [0.5, 0.25, 0.25]]]),
    spec('LowRankMultivariateNormal', [T([1., -1, 0]), T([[1., 0], [2, -1], [0.5, 3]]), T([1., 0.5, 2])],
         D.LowRankMultivariateNormal(t(1., -1, 0), torch.tensor([[1., 0], [2, -1], [.5, 3]]), t(1., .5, 2)), [[0., 0, 0], [[1., 2, 3], [-1, 0, 1]]]),
    spec('LowRankMultivariateNormal', [T([[1., -1], [0, 3]]), T([[1.], [2]]), T([1., 0.5])],
         D.LowRankMultivariateNormal(torch.tensor([[1., -1], [0, 3]]), torch.tensor([[1.], [2]]), t(1., .5)), [[0., 0]]),
    spec('RelaxedBernoulli', [0.7, dict(probs=T([0.25, 0.9]))], D.RelaxedBernoulli(torch.tensor(.7), t(.25, .9)), [0.3, [0.01, 0.99]]),
    spec('RelaxedBernoulli', [T([0.7, 3]), dict(logits=T([-2., 1]))], D.RelaxedBernoulli(t(.7, 3), logits=t(-2., 1)), [0.3]),
    spec('RelaxedOneHotCategorical', [0.7, dict(probs=T([1., 2, 5]))], D.RelaxedOneHotCategorical(torch.tensor(.7), t(1., 2, 5)), [[0.2, 0.3, 0.5], [[0.01, 0.01, 0.98], [0.5, 0.25, 0.25]]]),
    spec('OneHotCategoricalStraightThrough', [dict(probs=T([1., 2, 5]))], D.OneHotCategoricalStraightThrough(t(1., 2, 5)), [[0., 1, 0]]),
    spec('ContinuousBernoulli', [dict(probs=T([0.25, 0.4999, 0.9]))], D.ContinuousBernoulli(t(.25, .4999, .9)), [0.5, [0., 0.3, 1]]),
    spec('ContinuousBernoulli', [dict(logits=T([-3., 0, 2]))], D.ContinuousBernoulli(logits=t(-3., 0, 2)), [0.3]),
    spec('LKJCholesky', [3, T([1., 0.5])], D.LKJCholesky(3, t(1., .5)), [[[1., 0, 0], [0.6, 0.8, 0], [0, -0.6, 0.8]]]),
    spec('LKJCholesky', [2, 2.5], D.LKJCholesky(2, torch.tensor(2.5)), [[[1., 0], [-0.8, 0.6]]]),
    spec('Wishart', [3.5, dict(covarianceMatrix=T([[2., 0.5], [0.5, 1]]))], D.Wishart(torch.tensor(3.5), torch.tensor([[2., .5], [.5, 1]])), [[[1., 0.2], [0.2, 3]]]),
    spec('Wishart', [T([2.5, 6]), dict(scaleTril=T([[2., 0], [0.5, 1]]))], D.Wishart(t(2.5, 6), scale_tril=torch.tensor([[2., 0], [.5, 1]])), [[[1., 0.2], [0.2, 3]]]),
    spec('Wishart', [4., dict(precisionMatrix=T([[2., 0.5], [0.5, 1]]))], D.Wishart(torch.tensor(4.), precision_matrix=torch.tensor([[2., .5], [.5, 1]])), [[[1., 0.2], [0.2, 3]]]),
]
def number(x): return x if math.isfinite(x) else 'NaN' if math.isnan(x) else 'Infinity' if x > 0 else '-Infinity'
def get(f):
    try: x = f()
    except (NotImplementedError, AttributeError): return None
    return dict(shape=list(x.shape), data=[number(v) for v in x.double().flatten().tolist()])
cases = []
for s in specs:
    d = s.pop('theirs')
    s['batch_shape'], s['event_shape'] = list(d.batch_shape), list(d.event_shape)
    for name in ['mean', 'variance', 'mode', 'stddev']: s[name] = get(lambda: getattr(d, name))
    # The mode of Kumaraswamy's is wrong in 1.13: ((a - 1) / (a b - 1)) ** (1 / a).
    if s['name'] == 'Kumaraswamy':
        a, b = d.concentration1, d.concentration0
        s['mode'] = get(lambda: torch.where((a >= 1) & (b >= 1) & (a * b != 1), ((a - 1) / (a * b - 1)) ** (1 / a), math.nan))
    s['entropy'] = get(d.entropy)
    dtype = torch.int64 if s['name'] == 'Categorical' else torch.float64
    values, s['values'] = s['values'], []
    for v in values:
        x = torch.tensor(v, dtype=dtype)
        s['values'].append(dict(value=v, log_prob=get(lambda: d.log_prob(x)), cdf=get(lambda: d.cdf(x))))
    if not s['event_shape'] and s['name'] not in ('Gamma', 'Chi2'):
        s['icdf'] = get(lambda: d.icdf(torch.tensor(0.3)))
    if s['name'] == 'VonMises':  # Of Bessel functions 1.13 has eight digits: by scipy.
        k = d.concentration.numpy()
        variance = torch.from_numpy(1 - special.i1e(k) / special.i0e(k))
        s['variance'], s['stddev'] = get(lambda: variance), get(lambda: variance.sqrt())
        for v in s['values']:
            apart = torch.tensor(v['value']) - d.loc
            v['log_prob'] = get(lambda: d.concentration * (apart.cos() - 1) - torch.from_numpy(special.i0e(k)).log() - math.log(2 * math.pi))
    cases.append(s)
pairs = []
def kl(name, p, q, a, b): pairs.append(dict(name=name, p=p, q=q, kl=get(lambda: D.kl_divergence(a, b))))
kl('Normal', [0.5, 1.5], [-1., 0.7], D.Normal(t(.5), t(1.5)), D.Normal(t(-1.), t(.7)))
kl('LogNormal', [0.5, 1.5], [-1., 0.7], D.LogNormal(t(.5), t(1.5)), D.LogNormal(t(-1.), t(.7)))
kl('Laplace', [0.5, 1.5], [-1., 0.7], D.Laplace(t(.5), t(1.5)), D.Laplace(t(-1.), t(.7)))
kl('Exponential', [0.5], [2.], D.Exponential(t(.5)), D.Exponential(t(2.)))
kl('Gamma', [2.5, 1.5], [4., 0.7], D.Gamma(t(2.5), t(1.5)), D.Gamma(t(4.), t(.7)))
kl('Beta', [2.5, 1.5], [4., 0.7], D.Beta(t(2.5), t(1.5)), D.Beta(t(4.), t(.7)))
kl('Dirichlet', [T([1., 2, 3])], [T([3., 1, 0.5])], D.Dirichlet(t(1., 2, 3)), D.Dirichlet(t(3., 1, .5)))
kl('Uniform', [0., 1.], [-1., 3.], D.Uniform(t(0.), t(1.)), D.Uniform(t(-1.), t(3.)))
kl('Uniform', [0., 1.], [0.5, 3.], D.Uniform(t(0.), t(1.)), D.Uniform(t(.5), t(3.)))
kl('Bernoulli', [dict(probs=T([0.2, 1, 0]))], [dict(probs=T([0.6, 0.9, 0.9]))], D.Bernoulli(t(.2, 1, 0)), D.Bernoulli(t(.6, .9, .9)))
kl('Binomial', [5, dict(probs=T([0.2]))], [5, dict(probs=T([0.6]))], D.Binomial(5, t(.2)), D.Binomial(5, t(.6)))
kl('Geometric', [dict(probs=T([0.2]))], [dict(probs=T([0.6]))], D.Geometric(t(.2)), D.Geometric(t(.6)))
kl('Poisson', [0.5], [3.], D.Poisson(t(.5)), D.Poisson(t(3.)))
kl('Categorical', [dict(probs=T([1., 2, 0]))], [dict(probs=T([1., 1, 1]))], D.Categorical(t(1., 2, 0)), D.Categorical(t(1., 1, 1)))
kl('Categorical', [dict(probs=T([1., 2, 3]))], [dict(probs=T([1., 1, 0]))], D.Categorical(t(1., 2, 3)), D.Categorical(t(1., 1, 0)))
kl('MultivariateNormal', [T([1., -1]), dict(scaleTril=T([[2., 0], [0.5, 1]]))], [T([0., 2]), dict(scaleTril=T([[1., 0], [-0.5, 3]]))],
   D.MultivariateNormal(t(1., -1), scale_tril=torch.tensor([[2., 0], [.5, 1]])), D.MultivariateNormal(t(0., 2), scale_tril=torch.tensor([[1., 0], [-.5, 3]])))
kl('Gumbel', [0.5, 1.5], [-1., 0.7], D.Gumbel(t(.5), t(1.5)), D.Gumbel(t(-1.), t(.7)))
kl('HalfNormal', [1.5], [0.7], D.HalfNormal(t(1.5)), D.HalfNormal(t(.7)))
kl('Cauchy', [0.5, 1.5], [-1., 0.7], D.Cauchy(t(.5), t(1.5)), D.Cauchy(t(-1.), t(.7)))
kl('Pareto', [1.5, 2.], [0.7, 3.], D.Pareto(t(1.5), t(2.)), D.Pareto(t(.7), t(3.)))
kl('Pareto', [0.5, 2.], [0.7, 3.], D.Pareto(t(.5), t(2.)), D.Pareto(t(.7), t(3.)))
low = lambda a, b, c: D.LowRankMultivariateNormal(t(*a), torch.tensor(b), t(*c))
kl('LowRankMultivariateNormal', [T([1., -1]), T([[1.], [2.]]), T([1., 0.5])], [T([0., 2]), T([[0.5], [-1.]]), T([2., 1])],
   low([1., -1], [[1.], [2.]], [1., .5]), low([0., 2], [[.5], [-1.]], [2., 1]))
some = {
    'Bernoulli': ([dict(probs=T([0.2, 0.9]))], D.Bernoulli(t(.2, .9))), 'Beta': ([2.5, 1.5], D.Beta(t(2.5), t(1.5))),
    'Binomial': ([5, dict(probs=T([0.2]))], D.Binomial(5, t(.2))), 'ContinuousBernoulli': ([dict(probs=T([0.2, 0.5001]))], D.ContinuousBernoulli(t(.2, .5001))),
    'Exponential': ([0.7], D.Exponential(t(.7))), 'Gamma': ([2.5, 1.5], D.Gamma(t(2.5), t(1.5))), 'Gumbel': ([0.3, 1.5], D.Gumbel(t(.3), t(1.5))),
    'Laplace': ([0.3, 1.5], D.Laplace(t(.3), t(1.5))), 'Normal': ([0.5, 1.2], D.Normal(t(.5), t(1.2))), 'Pareto': ([0.2, 3.], D.Pareto(t(.2), t(3.))),
    'Poisson': ([1.7], D.Poisson(t(1.7))), 'Uniform': ([0.25, 0.75], D.Uniform(t(.25), t(.75))), 'Wishart': ([T([3.5]), dict(covarianceMatrix=T([[2., 0.5], [0.5, 1]]))], D.Wishart(t(3.5), torch.tensor([[2., .5], [.5, 1]]))),
}
kl('Wishart', [T([3.5]), dict(scaleTril=T([[2., 0], [0.5, 1]]))], [T([5.]), dict(scaleTril=T([[1., 0], [-0.5, 3]]))],
   D.Wishart(t(3.5), scale_tril=torch.tensor([[2., 0], [.5, 1]])), D.Wishart(t(5.), scale_tril=torch.tensor([[1., 0], [-.5, 3]])))
kl('ContinuousBernoulli', [dict(probs=T([0.2, 0.5]))], [dict(probs=T([0.6, 0.9]))], D.ContinuousBernoulli(t(.2, .5)), D.ContinuousBernoulli(t(.6, .9)))
some['Uniform over -1 to 2'] = ([-1., 2.], D.Uniform(t(-1.), t(2.)))
some['Pareto without a mean'] = ([0.2, 0.9], D.Pareto(t(.2), t(.9)))
for a, (args, p) in some.items():
    for b, (other, q) in some.items():
        # Of all pairs that are registered there.
        try: d = D.kl_divergence(p, q)
        except NotImplementedError: continue
        if type(p) is not type(q): pairs.append(dict(name=a.split()[0], p=args, other=b.split()[0], q=other, kl=get(lambda: d.expand(torch.broadcast_shapes(p.batch_shape, q.batch_shape)))))
transforms = []
def transform(ours, theirs, x):
    x = torch.tensor(x)
    y = theirs(x)
    transforms.append(dict(ours=ours, x=get(lambda: x), y=get(lambda: y), back=get(lambda: theirs.inv(y)), log=get(lambda: theirs.log_abs_det_jacobian(x, y))))
exp, tanh = D.transforms.ExpTransform(), D.transforms.TanhTransform()
transform('new d.StickBreakingTransform()', D.transforms.StickBreakingTransform(), [[0.3, -1, 2], [0., 0, 0]])
transform('new d.CorrCholeskyTransform()', D.transforms.CorrCholeskyTransform(), [[0.3, -1, 0.5], [0., 0, 0]])
transform('new d.CorrCholeskyTransform()', D.transforms.CorrCholeskyTransform(), [0.3, -1, 0.5, 0.1, 0.2, -0.7])
transform('new d.SoftmaxTransform()', D.transforms.SoftmaxTransform(), [[0.3, -1, 2]])
transform('new d.LowerCholeskyTransform()', D.transforms.LowerCholeskyTransform(), [[0.3, -1], [2., 0.5]])
transform('new d.AbsTransform()', D.transforms.AbsTransform(), [0.3, -1])
transform('new d.ReshapeTransform([2, 3], [6])', D.transforms.ReshapeTransform((2, 3), (6,)), [[[1., 2, 3], [4, 5, 6]]])
transform('new d.IndependentTransform(new d.ExpTransform(), 1)', D.transforms.IndependentTransform(exp, 1), [[0.3, -1], [2., 0.5]])
transform('new d.CatTransform([new d.ExpTransform(), new d.TanhTransform()], 0, [1, 2])', D.transforms.CatTransform([exp, tanh], 0, [1, 2]), [0.3, -1, 0.5])
transform('new d.StackTransform([new d.ExpTransform(), new d.TanhTransform()], -1)', D.transforms.StackTransform([exp, tanh], -1), [[0.3, -1], [2., 0.5]])
transform('new d.CumulativeDistributionTransform(new d.Normal(t(0), t(1)))', D.transforms.CumulativeDistributionTransform(D.Normal(0., 1.)), [0.3, -1])
transform('new d.ComposeTransform([new d.ExpTransform(), new d.StickBreakingTransform()])', D.transforms.ComposeTransform([exp, D.transforms.StickBreakingTransform()]), [[0.3, -1, 2], [0.1, 0, 0]])
shaped = []# By constraints: the transforms that the registries find.
con = D.constraints
for name, theirs, numbers in (
    ('real', con.real, [0.3, -1]), ('positive', con.positive, [0.3, -1]), ('nonnegative', con.nonnegative, [0.3, -1]), ('unitInterval', con.unit_interval, [0.3, -1]),
    ('greaterThan(t(2))', con.greater_than(2.), [0.3, -1]), ('greaterThanEq(-3)', con.greater_than_eq(-3.), [0.3, -1]), ('lessThan(1.5)', con.less_than(1.5), [0.3, -1]),
    ('interval(2, 6)', con.interval(2., 6.), [0.3, -1]), ('simplex', con.simplex, [[0.3, -1, 2]]), ('lowerCholesky', con.lower_cholesky, [[0.3, -1], [2., 0.5]]), ('corrCholesky', con.corr_cholesky, [0.3, -1, 0.5])):
    for ours, registry in (('bijectTo', D.biject_to), ('transformTo', D.transform_to)):
        if (ours, name) == ('bijectTo', 'lowerCholesky'): continue  # PyTorch has none.
        transform(f'd.{ours}(d.constraints.{name})', registry(theirs), numbers)
def transformed(ours, theirs, value):
    value = torch.tensor(value)
    shaped.append(dict(ours=ours, batch_shape=list(theirs.batch_shape), event_shape=list(theirs.event_shape), value=get(lambda: value), log_prob=get(lambda: theirs.log_prob(value))))
of = D.TransformedDistribution
transformed('new d.TransformedDistribution(new d.Normal(t([[0, 1], [2, 3]]), t(1)), [new d.StickBreakingTransform()])', of(D.Normal(torch.tensor([[0., 1], [2, 3]]), 1.), [D.transforms.StickBreakingTransform()]), [0.2, 0.3, 0.5])
transformed('new d.TransformedDistribution(new d.Normal(t([[0, 1, 2], [2, 3, 4]]), t(1)), [new d.AffineTransform(t(0), t(0.5)), new d.CorrCholeskyTransform()])',
            of(D.Normal(torch.tensor([[0., 1, 2], [2, 3, 4]]), 1.), [D.transforms.AffineTransform(0., 0.5), D.transforms.CorrCholeskyTransform()]), [[1., 0, 0], [0.6, 0.8, 0], [0, -0.6, 0.8]])
transformed('new d.TransformedDistribution(new d.Normal(t([[0, 1], [2, 3]]), t(1)), [new d.ReshapeTransform([2, 2], [4]), new d.ExpTransform()])',
            of(D.Normal(torch.tensor([[0., 1], [2, 3]]), 1.), [D.transforms.ReshapeTransform((2, 2), (4,)), exp]), [1., 2, 3, 4])
transformed('new d.TransformedDistribution(new d.Dirichlet(t([1, 2, 3])), [new d.ExpTransform()])', of(D.Dirichlet(t(1., 2, 3)), [exp]), [1.2214027581601699, 1.3498588075760032, 1.6487212707001282])
# The derivative of a gamma draw in its shape at a fixed probability: a central difference of scipy's quantiles.
draws = []
for alpha in [0.05, 0.3, 1.0, 2.5, 9.0, 60.0, 900.0, 2e4, 1e6]:
    for u in [0.02, 0.3, 0.5, 0.8, 0.99]:
        x = float(special.gammaincinv(alpha, u))
        if x < 1e-300: continue
        h = alpha * 1e-4
        d = float(special.gammaincinv(alpha + h, u) - special.gammaincinv(alpha - h, u)) / (2 * h)
        draws.append([alpha, x, d])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'distributions.json'), 'w') as file:
    json.dump(dict(cases=cases, kl=pairs, gamma_draws=draws, transforms=transforms, shaped=shaped), file)
