"""Numbers of scikit-learn for metrics.json: python3 make_metrics.py"""
import json, os
import numpy as np
from sklearn import metrics as m

rng = np.random.default_rng(7)
cases = []
def case(metric, options, predictions, target, expected):
    predictions, target = np.asarray(predictions), np.asarray(target)
    cases.append(dict(metric=metric, options=options, shape=list(predictions.shape), predictions=predictions.ravel().tolist(),
                      float=predictions.dtype.kind == 'f', target_shape=list(target.shape), target=target.ravel().tolist(),
                      target_float=target.dtype.kind == 'f', expected=np.asarray(expected).tolist()))

for n, c in [(30, 4), (57, 3)]:
    y = np.concatenate([np.arange(c), rng.integers(0, c, n - c)])
    scores = rng.random((n, c)) + 0.5 * np.eye(c)[y]
    scores /= scores.sum(1, keepdims=True)
    guess = scores.argmax(1)
    case('Accuracy', {}, scores, y, m.accuracy_score(y, guess))
    case('Accuracy', dict(topK=2), scores, y, m.top_k_accuracy_score(y, scores, k=2))
    case('ConfusionMatrix', {}, guess, y, m.confusion_matrix(y, guess))
    for average in ['macro', 'micro', 'weighted']:
        for name, f in [('Precision', m.precision_score), ('Recall', m.recall_score), ('F1Score', m.f1_score)]:
            case(name, dict(average=average), scores, y, f(y, guess, average=average, zero_division=0))
    for average in ['macro', 'weighted']:
        case('AUROC', dict(average=average), scores, y, m.roc_auc_score(y, scores, multi_class='ovr', average=average))
        case('AveragePrecision', dict(average=average), scores, y, m.average_precision_score(np.eye(c)[y], scores, average=average))
    case('Perplexity', {}, np.log(scores), y, np.exp(m.log_loss(y, scores)))

# A class that never occurs, and one that is never predicted.
case('F1Score', {}, [0, 0, 3, 1], [0, 0, 1, 1], m.f1_score([0, 0, 1, 1], [0, 0, 3, 1], average='macro', zero_division=0))
y = np.concatenate([[0, 1], rng.integers(0, 2, 40)])
score = np.round(rng.random(42) * 0.7 + 0.3 * y, 1) # with ties
for name, f in [('Precision', m.precision_score), ('Recall', m.recall_score), ('F1Score', m.f1_score)]:
    case(name, dict(average='binary', threshold=0.45), score, y, f(y, score > 0.45))
case('AUROC', {}, score, y, m.roc_auc_score(y, score))
case('AveragePrecision', {}, score, y, m.average_precision_score(y, score))
for shape in [(31,), (31, 2)]:
    y = rng.normal(1000, 3, shape)
    p = y + rng.normal(0, 1, shape)
    case('MeanSquaredError', {}, p, y, m.mean_squared_error(y, p))
    case('MeanSquaredError', dict(root=True), p, y, m.mean_squared_error(y, p) ** 0.5)
    case('MeanAbsoluteError', {}, p, y, m.mean_absolute_error(y, p))
    case('R2Score', {}, p, y, m.r2_score(y, p))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'metrics.json'), 'w') as file:
    json.dump(cases, file)
