/* Bradley-Terry ratings by penalised maximum likelihood: the method of playground/ratings/bradley_terry.py, with the
   weights of raters of playground/ratings/counting.py. A line is [rater, category, votes, model, model, outcome, …]. */
const POINTS = 400 / Math.log(10), MEAN = 1000;
const MOST = 30; // log-odds; a larger strength is none: somebody won everything, and there is no prior
const SCORES = [1, 0, 0.5, 0.5], BOTH_BAD = 3; // of the first model, by outcome

/** Return the rating of each model by index; null for one that met no other, or has no finite rating. */
function rate(tallies, { withoutModels = new Set(), withoutCategories = new Set(), bothBad = tallies.bothBad } = {}) {
  const lines = tallies.lines
    .filter((line) => !withoutCategories.has(line[1]))
    .map((line) => ({ rater: line[0], votes: line[2], pairs: pairsOf(line).filter(([a, b]) => !withoutModels.has(a) && !withoutModels.has(b)) }))
    .filter((line) => line.pairs.length);
  const weights = weightsOfRaters(lines, tallies.maxShare);
  const wins = table(tallies.models.length);
  for (const { rater, votes, pairs } of lines) {
    for (const [a, b, outcome] of pairs) {
      if (outcome === BOTH_BAD && bothBad === "omit") continue;
      const weight = votes * (weights.get(rater) ?? 1);
      wins[a][b] += weight * SCORES[outcome];
      wins[b][a] += weight * (1 - SCORES[outcome]);
    }
  }
  const groups = connected(wins);
  const ratings = maximise(withPrior(wins, groups, tallies.prior), groups);
  const votes = lines.reduce((sum, line) => sum + line.votes, 0);
  return { votes, ratings: ratings.map((x, i, all) => (groups[i].length > 1 && groups[i].every((j) => Math.abs(all[j]) < MOST) ? MEAN + POINTS * x : null)) };
}

const table = (m) => Array.from({ length: m }, () => new Array(m).fill(0));

function pairsOf(line) {
  const pairs = [];
  for (let at = 3; at < line.length; at += 3) pairs.push(line.slice(at, at + 3));
  return pairs;
}

/** Return the weight of the votes of each rater who would otherwise have more than a share of the whole. */
function weightsOfRaters(lines, share) {
  const given = new Map();
  for (const { rater, votes } of lines) given.set(rater, (given.get(rater) ?? 0) + votes);
  if (given.size * share < 2 || share >= 1) return new Map();
  const most = [...given.values()].sort((a, b) => b - a);
  let rest = most.reduce((sum, number) => sum + number, 0), limit = most[0];
  for (const [above, number] of most.entries()) {
    limit = (share * rest) / (1 - share * above);
    if (number <= limit) break;
    rest -= number;
  }
  return new Map([...given].filter(([, number]) => number > limit).map(([rater, number]) => [rater, limit / number]));
}

/** Return for each model the list of those that a chain of battles connects with it, itself too; one list per group. */
function connected(wins) {
  const groups = new Array(wins.length).fill(null);
  for (let start = 0; start < wins.length; start++) {
    if (groups[start]) continue;
    const group = [start];
    groups[start] = group;
    for (const i of group) { // grows while it is read
      for (let j = 0; j < wins.length; j++) {
        if (!groups[j] && wins[i][j] + wins[j][i] > 0) { groups[j] = group; group.push(j); }
      }
    }
  }
  return groups;
}

/** Return the wins and those of the prior: each group's ties in equal parts to the pairs that met. */
function withPrior(wins, groups, prior) {
  const all = wins.map((row) => [...row]);
  for (const group of new Set(groups)) {
    const met = [];
    for (const i of group) for (const j of group) if (i < j && wins[i][j] + wins[j][i] > 0) met.push([i, j]);
    for (const [i, j] of met) {
      const half = (prior * (group.length - 1)) / met.length / 2;
      all[i][j] += half;
      all[j][i] += half;
    }
  }
  return all;
}

/** Return the log-odds strengths, mean 0 in each group, by Newton's method. */
function maximise(wins, groups) {
  let strengths = new Array(wins.length).fill(0), likelihood = logLikelihood(wins, strengths);
  for (let round = 0; round < 200; round++) {
    const step = newtonStep(wins, strengths, groups);
    let size = 1, next, ahead;
    do { // Newton may overshoot far from the maximum
      next = strengths.map((x, i) => x + size * step[i]);
      ahead = logLikelihood(wins, next);
      size /= 2;
    } while (ahead < likelihood - 1e-12 * Math.abs(likelihood) && size > 1e-12);
    strengths = next;
    likelihood = ahead;
    if (Math.max(0, ...step.map(Math.abs)) < 1e-9) break;
  }
  return strengths;
}

function newtonStep(wins, strengths, groups) {
  const step = new Array(wins.length).fill(0);
  for (const group of new Set(groups)) {
    if (group.length < 2) continue;
    const curvature = table(group.length), gradient = new Array(group.length).fill(0);
    group.forEach((i, row) => group.forEach((j, column) => {
      if (i === j) return;
      const p = chance(strengths[i] - strengths[j]), weight = (wins[i][j] + wins[j][i]) * p * (1 - p);
      gradient[row] += wins[i][j] * (1 - p) - wins[j][i] * p;
      curvature[row][row] += weight;
      curvature[row][column] -= weight;
    }));
    const scale = curvature.reduce((sum, row, i) => sum + row[i], 0) / group.length;
    for (const row of curvature) row.forEach((_, j) => (row[j] += scale / group.length)); // strengths have mean 0
    solve(curvature, gradient).forEach((x, row) => (step[group[row]] = x));
  }
  return step;
}

const chance = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

function logLikelihood(wins, strengths) {
  let sum = 0;
  for (let i = 0; i < wins.length; i++) {
    for (let j = 0; j < wins.length; j++) {
      const x = strengths[j] - strengths[i];
      if (wins[i][j]) sum -= wins[i][j] * (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
    }
  }
  return sum;
}

/** Return x with matrix · x = right, by Gaussian elimination; both are overwritten. */
function solve(matrix, right) {
  const m = right.length;
  for (let k = 0; k < m; k++) {
    let pivot = k;
    for (let i = k + 1; i < m; i++) if (Math.abs(matrix[i][k]) > Math.abs(matrix[pivot][k])) pivot = i;
    [matrix[k], matrix[pivot]] = [matrix[pivot], matrix[k]];
    [right[k], right[pivot]] = [right[pivot], right[k]];
    for (let i = k + 1; i < m; i++) {
      const factor = matrix[i][k] / matrix[k][k];
      for (let j = k; j < m; j++) matrix[i][j] -= factor * matrix[k][j];
      right[i] -= factor * right[k];
    }
  }
  for (let k = m - 1; k >= 0; k--) {
    for (let j = k + 1; j < m; j++) right[k] -= matrix[k][j] * right[j];
    right[k] /= matrix[k][k];
  }
  return right;
}
