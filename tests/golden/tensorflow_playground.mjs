// Writes tensorflow_playground.json: what TensorFlow Playground makes of links, in numbers.
//
//   node tests/golden/tensorflow_playground.mjs FOLDER > tests/golden/tensorflow_playground.json
//
// FOLDER is a checkout of its source, with `npm install seedrandom@2 d3@3 typescript@5` done in it. Its nn.ts, dataset.ts
// and state.ts are run as they are; its page script, which only lives in a browser, is played here: what it does when it
// opens, and what each epoch does.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const EPOCHS = 100;
const folder = path.resolve(process.argv[2]);
const installed = createRequire(path.join(folder, "package.json"));
const typescript = installed("typescript");

const LINKS = [
  "activation=tanh&batchSize=10&dataset=circle&regDataset=reg-plane&learningRate=0.03&regularizationRate=0&noise=0&networkShape=4,2&seed=0.12345&showTestData=false&discretize=false&percTrainData=50&x=true&y=true&xTimesY=false&xSquared=false&ySquared=false&cosX=false&sinX=false&cosY=false&sinY=false&collectStats=false&problem=classification&initZero=false&hideText=false",
  "activation=relu&batchSize=7&dataset=xor&noise=10&networkShape=4&seed=0.98765&percTrainData=70",
  "activation=sigmoid&batchSize=30&dataset=gauss&noise=35&networkShape=3,3&seed=0.31415",
  "activation=tanh&batchSize=16&dataset=spiral&networkShape=8,6&xTimesY=true&xSquared=true&ySquared=true&sinX=true&sinY=true&seed=0.27182&learningRate=0.01",
  "problem=regression&regDataset=reg-plane&activation=linear&networkShape=&learningRate=0.003&seed=0.55555",
  "problem=regression&regDataset=reg-gauss&activation=tanh&batchSize=25&networkShape=5,4&noise=15&percTrainData=40&seed=0.00001",
  "dataset=circle&activation=relu&regularization=L1&regularizationRate=0.03&xSquared=true&ySquared=true&networkShape=3&seed=0.70710",
  "dataset=xor&regularization=L1&regularizationRate=0.1&batchSize=13&xTimesY=true&networkShape=4,2&seed=0.14142",
  "dataset=gauss&regularization=L2&regularizationRate=0.1&noise=20&networkShape=2&batchSize=11&seed=0.17320",
  "dataset=spiral&regularization=L2&regularizationRate=0.001&sinX=true&sinY=true&networkShape=6&batchSize=30&seed=0.22360",
  "problem=regression&regDataset=reg-plane&regularization=L1&regularizationRate=0.01&networkShape=3&xSquared=true&noise=25&learningRate=0.01&seed=0.24494",
  "problem=regression&regDataset=reg-gauss&regularization=L2&regularizationRate=0.003&batchSize=17&activation=sigmoid&networkShape=6&seed=0.26457",
  "dataset=circle&initZero=true&activation=sigmoid&xSquared=true&ySquared=true&networkShape=2&seed=0.28284",
  "dataset=xor&initZero=true&regularization=L1&regularizationRate=0.01&xTimesY=true&networkShape=&seed=0.31622",
  "dataset=gauss&networkShape=&batchSize=1&learningRate=0.001&noise=50&seed=0.33166",
  "dataset=circle&percTrainData=90&batchSize=19&networkShape=5&noise=5&seed=0.34641",
  "dataset=gauss&noise=80&activation=relu&networkShape=3&percTrainData=10&seed=0.36055",
  "dataset=xor&noise=95&xTimesY=true&networkShape=2&learningRate=0.01&seed=0.37416",
  "dataset=circle&activation=tanh&networkShape=4,4,4,4&batchSize=8&seed=0.38729",
  "dataset=spiral&x_hide=true&xSquared=true&sinX=true&activation=linear&networkShape=3&seed=any%20text%C3%A9",
];

/** The modules of one opened page: each has a Math.random of its own seed. */
function open(hash) {
  globalThis.window = { location: { hash: `#${hash}` } };
  const loaded = {};
  const load = (name) => {
    if (loaded[name]) return loaded[name].exports;
    const source = readFileSync(path.join(folder, "src", `${name}.ts`), "utf8");
    const module = { exports: {} };
    loaded[name] = module;
    const compiled = typescript.transpileModule(source, { compilerOptions: { module: "CommonJS", target: "ES2018" } });
    const require = (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : installed(wanted));
    new Function("module", "exports", "require", compiled.outputText)(module, module.exports, require);
    return module.exports;
  };
  return { nn: load("nn"), dataset: load("dataset"), state: load("state") };
}

const INPUTS = {
  x: (x) => x,
  y: (_, y) => y,
  xSquared: (x) => x * x,
  ySquared: (_, y) => y * y,
  xTimesY: (x, y) => x * y,
  sinX: (x) => Math.sin(x),
  sinY: (_, y) => Math.sin(y),
};

function play(hash) {
  const { nn, dataset, state: page } = open(hash);
  const state = page.State.deserializeState();
  const hidden = state.getHiddenProps();
  const names = Object.keys(INPUTS).filter((name) => state[name] && !hidden.includes(name));
  const inputs = (point) => names.map((name) => INPUTS[name](point.x, point.y));
  const regression = state.problem === page.Problem.REGRESSION;
  const noise = state.noise > 80 ? 50 : Math.max(0, state.noise); // its slider ends at 50, and gives way up to 80

  Math.seedrandom(state.seed);
  const points = (regression ? state.regDataset : state.dataset)(regression ? 1200 : 500, noise / 100);
  dataset.shuffle(points);
  const count = Math.floor((points.length * state.percTrainData) / 100);
  const [train, test] = [points.slice(0, count), points.slice(count)];
  const { LINEAR, TANH } = nn.Activations;
  const network = nn.buildNetwork(
    [names.length, ...state.networkShape, 1],
    state.activation,
    regression ? LINEAR : TANH,
    state.regularization,
    names,
    state.initZero,
  );
  const loss = (some) =>
    some.reduce((sum, point) => sum + nn.Errors.SQUARE.error(nn.forwardProp(network, inputs(point)), point.label), 0) /
    some.length;
  const losses = () => [loss(train), loss(test)].map((number) => Number(number.toPrecision(10)));

  const initial = weights(network);
  const curve = [losses()];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    train.forEach((point, index) => {
      nn.forwardProp(network, inputs(point));
      nn.backProp(network, point.label, nn.Errors.SQUARE);
      if ((index + 1) % state.batchSize === 0) nn.updateWeights(network, state.learningRate, state.regularizationRate);
    });
    curve.push(losses());
  }
  const rows = points.map(({ x, y, label }) => [x, y, label]);
  return {
    link: hash,
    train: count,
    sums: [0, 1, 2].map((column) => rows.reduce((sum, row) => sum + row[column], 0)),
    every_tenth: rows.filter((_, index) => index % 10 === 0),
    initial,
    trained: weights(network),
    dead: network.flatMap((layer) => layer.flatMap((node) => node.inputLinks)).filter((link) => link.isDead).length,
    curve,
  };
}

/** Of each layer: for every unit its weights and then its bias. */
function weights(network) {
  return network.slice(1).map((layer) => layer.map((node) => [...node.inputLinks.map((link) => link.weight), node.bias]));
}

installed("seedrandom");
const random = Math.random;
// The generator itself: seeds and the first numbers that come of them.
const seeds = ["", "0", "0.12345", "hello.", "a longer text than most: ".repeat(20), "é€😀"].map((seed) => {
  Math.seedrandom(seed);
  return [seed, Array.from({ length: 5 }, () => Math.random())];
});
const experiments = LINKS.map(play);
Math.random = random;
const lines = experiments.map((experiment) => JSON.stringify(experiment)).join(",\n");
process.stdout.write(`{"seeds":${JSON.stringify(seeds)},"epochs":${EPOCHS},"experiments":[\n${lines}\n]}\n`);
