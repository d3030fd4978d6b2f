// The terms that the page explains: their words are in i18n, their formulas here.
const FORMULAS = {
  data: String.raw`(x^{(1)}, y^{(1)}),\; \ldots,\; (x^{(n)}, y^{(n)})`,
  train_test: String.raw`L_{\text{train}} = \frac{1}{n}\sum_{i \in \text{train}} \ell(\hat{y}_i, y_i),\quad L_{\text{test}} = \frac{1}{m}\sum_{j \in \text{test}} \ell(\hat{y}_j, y_j)`,
  fourier: String.raw`\cos(2\pi\, b_k \cdot v),\; \sin(2\pi\, b_k \cdot v),\quad v = \tfrac{x}{12},\; b_k \sim \mathcal{N}(0, \sigma^2)`,
  features: String.raw`x \mapsto (x_1,\; x_2,\; x_1^2,\; \sin x_1,\; \ldots)`,
  network: String.raw`a^{(l)} = f(W^{(l)} a^{(l-1)} + b^{(l)}),\quad a^{(0)} = x,\quad \hat{y} = a^{(L)}`,
  hidden_neuron: String.raw`a = f\left(\sum_i w_i x_i + b\right)`,
  weights: String.raw`w \leftarrow w - \eta \frac{\partial L}{\partial w}`,
  batchnorm: String.raw`\hat z = \gamma\, \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta`,
  dropout: String.raw`a' = \frac{m}{1 - p}\, a,\quad m = 0 \text{ with probability } p,\text{ else } 1`,
  dead_units: String.raw`\max_i |f'(z_i)| < 10^{-6}`,
  saturated_units: String.raw`\frac{1}{n}\, \#\{i : |f'(z_i)| < 0.05\, \min(1, \max_z |f'(z)|)\} > 0.95`,
  activation: String.raw`a = f(z),\quad \frac{\partial L}{\partial z} = \frac{\partial L}{\partial a}\, f'(z)`,
  decision_map: String.raw`\text{boundary} = \{x : P(y = 1 \mid x) = \tfrac{1}{2}\}`,
  accuracy: String.raw`\frac{1}{n}\, \#\{i : \hat{y}_i = y_i\}`,
  embedding: String.raw`z = f(x),\quad d_{ij} = \lVert z_i - z_j \rVert`,
  loss: String.raw`L = \frac{1}{n}\sum_i \ell(\hat{y}_i, y_i)`,
  mae: String.raw`\frac{1}{n}\sum_i |\hat{y}_i - y_i|`,
  r2: String.raw`R^2 = 1 - \frac{\sum_i (\hat{y}_i - y_i)^2}{\sum_i (\bar{y} - y_i)^2}`,
  confusion: String.raw`C_{jk} = \#\{i : y_i = j,\; \hat{y}_i = k\},\quad \text{recall}_j = \frac{C_{jj}}{\sum_k C_{jk}}`,
  precision: String.raw`P_k = \frac{TP_k}{TP_k + FP_k} = \frac{C_{kk}}{\sum_j C_{jk}}`,
  recall: String.raw`R_k = \frac{TP_k}{TP_k + FN_k} = \frac{C_{kk}}{\sum_j C_{kj}}`,
  f1: String.raw`F_1 = \frac{2 P_k R_k}{P_k + R_k},\quad \text{macro} = \frac{1}{K}\sum_k F_{1,k}`,
  roc: String.raw`\text{TPR} = \frac{TP}{TP + FN},\quad \text{FPR} = \frac{FP}{FP + TN},\quad \text{AUC} = P(s^{+} > s^{-}) + \tfrac{1}{2} P(s^{+} = s^{-})`,
  precision_recall: String.raw`\text{AP} = \sum_t (R_t - R_{t-1})\, P_t`,
  calibration: String.raw`\text{ECE} = \sum_{b=1}^{10} \frac{n_b}{n}\, \lvert \bar{y}_b - \bar{p}_b \rvert`,
  principal_components: String.raw`C v_i = \lambda_i v_i,\quad z_j = \frac{x_j - \mu_j}{\sigma_j},\quad t_i = v_i^{\top} z,\quad \text{share}_i = \frac{\lambda_i}{\sum_j \lambda_j}`,
  residuals: String.raw`e_i = \hat{y}_i - y_i`,
  ensemble: String.raw`\bar{y} = \frac{1}{R}\sum_r \hat{y}_r,\quad (\bar{y} - y)^2 = \frac{1}{R}\sum_r (\hat{y}_r - y)^2 - \frac{1}{R}\sum_r (\hat{y}_r - \bar{y})^2`,
  gradient_norm: String.raw`\lVert g \rVert = \sqrt{\sum_w \left(\frac{\partial L}{\partial w}\right)^2}`,
  curves: null,
  epoch_step: String.raw`\text{steps of an epoch} = \left\lceil \frac{\text{training points}}{\text{batch size}} \right\rceil`,
  batch: String.raw`g = \frac{1}{|B|}\sum_{i \in B} \nabla \ell_i`,
  seed: null,
  learning_rate: String.raw`w \leftarrow w - \eta g`,
} as const;

export type TermName = keyof typeof FORMULAS;

export const TERMS = Object.keys(FORMULAS) as TermName[];

export const formulaOf = (name: TermName): string | null => FORMULAS[name];

/** The term that a control is about, by the control's path in the config. */
const CONTROLS: Record<string, TermName> = {
  seed: "seed",
  loss: "loss",
  activation: "activation",
  batch_size: "batch",
  "optimizer.lr": "learning_rate",
  replicas: "ensemble",
  "data.train_fraction": "train_test",
  "hidden.dropout": "dropout",
  "hidden.normalization": "batchnorm",
};

export const termOf = (path: string): TermName | undefined => CONTROLS[path];
