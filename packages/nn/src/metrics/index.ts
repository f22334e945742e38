export { Accuracy, type Average, ConfusionMatrix, F1Score, Precision, Recall } from './classification.js';
export { Metric, type MetricState, type Ranks } from './metric.js';
export { AUROC, AveragePrecision } from './ranking.js';
export { Mean, MeanAbsoluteError, MeanSquaredError, Perplexity, R2Score } from './regression.js';
