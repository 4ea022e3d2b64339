// Follows a portable model (model.json, version 1): one function an operation, row by row. No dependency; runs in browsers and Node.
//
//   import { portable } from "./portable.js";
//   const model = portable(JSON.parse(text));
//   model.predict({ area: "54 m²", city: "Löwenmark", ... })   ->  { prediction, probabilities?: {class: p} }
//
// A row that the model in Python refuses is refused here: `predict` throws a RangeError that says why.

const NAN = Number.NaN, DAY = 86_400_000_000;
const isMissing = v => v === null || v === undefined || (typeof v === "number" && Number.isNaN(v));
const or = (value, other) => value === null || value === undefined ? other : value;

// ---- texts ---------------------------------------------------------------------------------------------------------------------
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "g"), SPACES = new RegExp(`${SPACE}+`);
const strip = text => text.replace(ENDS, "");
const tidy = text => text.replace(/[\u00a0\u2009\u202f\t\n\r]/g, " ").replace(/\u2212/g, "-").replace(/\u2019/g, "'").replace(/ +/g, " ").replace(/^ | $/g, "");
const asciiLower = text => text.replace(/[A-Z]/g, c => c.toLowerCase());
const inBlocks = c => c < 0x590 || (c >= 0x1e00 && c < 0x2000);
// Each letter by itself: what stands beside it does not matter.
const lowered = text => Array.from(text, c => { const l = c.toLowerCase(); return inBlocks(c.codePointAt(0)) && Array.from(l).length === 1 ? l : c; }).join("");

function plainLetter(letter) {
  const base = letter.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  return /^[a-z0-9]$/.test(base) ? base : letter;
}
const isAccented = c => (c >= 0xc0 && c < 0x250) || (c >= 0x1e00 && c < 0x1f00);
const folded = text => Array.from(asciiLower(text), c => {
  const code = c.codePointAt(0);
  return code >= 0x300 && code < 0x370 ? "" : isAccented(code) ? plainLetter(c) : c;
}).join("");
const wordsOf = text => folded(text).match(/[a-z0-9]{2,}/g) ?? [];

// 15 digits, without noughts at the end, as C writes %.15g.
function numberName(number, point = false) {
  if (number === 0) return (Object.is(number, -0) ? "-0" : "0") + (point ? ".0" : "");
  const [digits, power] = number.toExponential(14).split("e"), exponent = Number(power);
  const text = exponent < -4 || exponent >= 15
    ? `${trimmed(digits)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`
    : trimmed(number.toFixed(Math.max(14 - exponent, 0)));
  return point && /^-*\d+$/.test(text) ? `${text}.0` : text;
}
const trimmed = digits => digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;

// ---- the grammar of numbers, dates and truths ----------------------------------------------------------------------------------
const MONEY = "(€|\\$|£|[Ee][Uu][Rr]|[Uu][Ss][Dd]|[Gg][Bb][Pp]|[Cc][Hh][Ff])";
const number = (group, mark) => new RegExp(
  `^([-+]?) ?(?:${MONEY} ?)?([-+]?)([0-9]{1,3}(?:[${group}' ][0-9]{3})+|[0-9]+)?(?:${mark}([0-9]*))?(?:[eE]([-+]?[0-9]{1,3}))?( ?[^-+0-9.,' ].*)?$`, "su");
const NUMBER = { ".": number(",", "\\."), ",": number(".", ",") };

function factorOf(found, units, any) {
  const spaced = found.startsWith(" "), name = asciiLower(found.replace(/^ +| +$/g, "").replace(/\.+$/, ""));
  if (!name) return 1;
  if (units) return Object.hasOwn(units, name) ? units[name] : null;
  const named = /^[a-zµ]{1,5}\/[a-z0-9²³]{1,6}$/u.test(name) || (spaced && /^[a-z]{3,12}$/.test(name));
  return named || any.includes(name) ? 1 : null;
}

// Gives null where the grammar does not match.
function readNumber(text, units, decimal, any) {
  const match = NUMBER[decimal].exec(text);
  if (!match) return null;
  const [, sign, money, second, whole, part, power, after] = match;
  if (!(whole || part) || (sign && second) || (money && after)) return null;
  const factor = factorOf(money || after || "", units, any);
  if (factor === null) return null;
  const read = Number(`${sign || second}${(whole || "0").replace(/[^0-9]/g, "")}.${part || "0"}e${power || "0"}`) * factor;
  return Number.isFinite(read) ? read : null;
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const NAMES = "january february march april may june july august september october november december".split(" ");
const CLOCK = "(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\\.([0-9]{1,9}))?)?(?: ?([AaPp])\\.?[Mm]\\.?)?(?: ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?$";
const YEAR_FIRST = new RegExp(`^([0-9]{4})([-/.])([0-9]{1,2})\\2([0-9]{1,2})${CLOCK}`);
const YEAR_LAST = new RegExp(`^([0-9]{1,2})([-/.])([0-9]{1,2})\\2([0-9]{4}|[0-9]{2})${CLOCK}`);
const DAY_NAME = new RegExp(`^([0-9]{1,2})\\.?[ -]([A-Za-z]{3,9})\\.?,?[ -]([0-9]{4}|[0-9]{2})${CLOCK}`);
const NAME_DAY = new RegExp(`^([A-Za-z]{3,9})\\.? ([0-9]{1,2}),? ([0-9]{4})${CLOCK}`);

function monthOf(name) {
  name = asciiLower(name);
  return NAMES.includes(name) || name.length === 3 || name === "sept" ? MONTHS.indexOf(name.slice(0, 3)) + 1 : 0;
}

function datePartsOf(text, dayfirst) {
  let m;
  if ((m = YEAR_FIRST.exec(text))) return [m[1], Number(m[3]), Number(m[4]), m.slice(5)];
  if ((m = YEAR_LAST.exec(text))) {
    const [day, month] = dayfirst || m[2] === "." ? [m[1], m[3]] : [m[3], m[1]];
    return [m[4], Number(month), Number(day), m.slice(5)];
  }
  if ((m = DAY_NAME.exec(text))) return [m[3], monthOf(m[2]), Number(m[1]), m.slice(4)];
  if ((m = NAME_DAY.exec(text))) return [m[3], monthOf(m[1]), Number(m[2]), m.slice(4)];
  return null;
}

// Microseconds since midnight UTC; null for an hour that does not exist.
function clockOf([hour, minute, second, fraction, half, zone]) {
  if (hour === undefined) return 0;
  let hours = Number(hour);
  const minutes = Number(minute), seconds = Number(second ?? 0);
  if (hours > (half ? 12 : 23) || minutes > 59 || seconds > 59 || (half && hours === 0)) return null;
  if (half) hours = (hours % 12) + ("Pp".includes(half) ? 12 : 0);
  const past = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + Number((fraction ?? "0").padEnd(6, "0").slice(0, 6));
  if (!zone || zone === "Z" || zone === "UTC") return past;
  const shift = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000_000;
  return zone[0] === "+" ? past - shift : past + shift;
}

// Days since 1970-01-01 of a day of the Gregorian calendar; null for one that does not exist.
function daysOf(year, month, day) {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0), most = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > most[month - 1]) return null;
  const y = month > 2 ? year : year - 1, era = Math.floor(y / 400), ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}

function civilOf(days) {
  const z = days + 719468, era = Math.floor(z / 146097), ofEra = z - era * 146097;
  const ofYear = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365);
  const rest = ofEra - (365 * ofYear + Math.floor(ofYear / 4) - Math.floor(ofYear / 100)), m = Math.floor((5 * rest + 2) / 153);
  const month = m < 10 ? m + 3 : m - 9;
  return [ofYear + era * 400 + (month <= 2 ? 1 : 0), month, rest - Math.floor((153 * m + 2) / 5) + 1];
}
const EPOCH = daysOf(2000, 1, 1), LAST = daysOf(9999, 12, 31), FIRST = daysOf(1, 1, 1);

// [days since 2000-01-01, microseconds of the day]; null where the grammar does not match.
function readDate(text, dayfirst) {
  const parts = datePartsOf(text, dayfirst), past = parts && clockOf(parts[3]);
  if (past === null) return null;
  const written = Number(parts[0]), year = parts[0].length === 4 ? written : written + (written < 69 ? 2000 : 1900);
  const start = daysOf(year, parts[1], parts[2]);
  if (start === null) return null;
  const days = start + Math.floor(past / DAY);
  return days < FIRST || days > LAST ? null : [days - EPOCH, past - Math.floor(past / DAY) * DAY];
}

const TRUTHS = new Map([..."yes y true t on 1 1.0 ja oui si".split(" ").map(w => [w, 1]), ..."no n false f off 0 0.0 nein non".split(" ").map(w => [w, 0])]);
const readTruth = text => TRUTHS.get(asciiLower(tidy(text)));

// ---- cells of a raw row --------------------------------------------------------------------------------------------------------
class Refused extends RangeError {}
const unmeant = (value, op) => { throw new Refused(`${op.name} must be a ${op.kind}; got ${JSON.stringify(value)}`); };

function cellOf(row, op) {
  if (!op.optional && !Object.hasOwn(row, op.name)) throw new Refused(`a row must have ${op.name}; unknown values may be null`);
  const value = row[op.name];
  if (value !== null && !["string", "number", "boolean", "undefined"].includes(typeof value))
    throw new Refused(`${op.name} must be text, a number, true, false or null; got ${Object.prototype.toString.call(value)}`);
  return value;
}

const CELLS = {
  number(value, op, spec) {
    if (isMissing(value)) return NAN;
    if (typeof value === "string") {
      const text = strip(value);
      if (spec.missing.includes(text) || /^[-+]?inf(inity)?$/i.test(text)) return NAN;
      return readNumber(tidy(text), null, ".", spec.units) ?? unmeant(value, op);
    }
    return Number.isFinite(Number(value)) ? Number(value) : NAN;
  },
  truth(value, op, spec) {
    if (isMissing(value)) return NAN;
    if (typeof value === "string") {
      const text = strip(value);
      return spec.missing.includes(text) ? NAN : readTruth(text) ?? unmeant(value, op);
    }
    return Number(value) === 0 || Number(value) === 1 ? Number(value) : unmeant(value, op);
  },
  moment(value, op, spec) {
    if (isMissing(value) || value === "") return [NAN, NAN];
    const text = typeof value === "string" ? strip(value) : null;
    if (text !== null && spec.missing.includes(text)) return [NAN, NAN];
    return (text !== null && readDate(tidy(text), true)) || unmeant(value, op);
  },
  text(value, op) {
    if (isMissing(value)) return null;
    if (typeof value === "boolean") return op.truths[Number(value)];
    return typeof value === "string" ? value : numberName(value, op.point).replace(".", op.decimal);
  },
};

// ---- curves --------------------------------------------------------------------------------------------------------------------
// Piecewise linear, as numpy's interp: beyond the ends, the ends.
function interpolated(x, xs, ys) {
  if (Number.isNaN(x)) return NAN;
  const last = xs.length - 1;
  if (x > xs[last]) return ys[last];
  if (x < xs[0]) return ys[0];
  let low = 0, high = last + 1; // the last place that is not above x
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  if (low === last) return ys[last];
  if (xs[low] === x) return ys[low];
  return ((ys[low + 1] - ys[low]) / (xs[low + 1] - xs[low])) * (x - xs[low]) + ys[low];
}

// The quantile of the bell, after Cephes (Moshier 1989), as SciPy computes it.
const polynomial = (x, c) => c.reduce((sum, a) => sum * x + a, 0);
const P0 = [-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1, 1.39312609387279679503e1, -1.23916583867381258016e0];
const Q0 = [1, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1, -2.25462687854119370527e2, 2.00260212380060660359e2,
  -8.20372256168333339912e1, 1.59056225126211695515e1, -1.18331621121330003142e0];
const P1 = [4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1, 4.40805073893200834700e1, 1.46849561928858024014e1,
  2.18663306850790267539e0, -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4];
const Q1 = [1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1, 1.50425385692907503408e1, 2.50464946208309415979e0,
  -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4];
const P2 = [3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0, 1.33303460815807542389e0, 2.01485389549179081538e-1,
  1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9];
const Q2 = [1, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0, 2.16236993594496635890e-1, 1.34204006088543189037e-2,
  3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9];
function bell(y0) {
  if (y0 <= 0) return -Infinity;
  if (y0 >= 1) return Infinity;
  const upper = y0 > 1 - Math.exp(-2), y = upper ? 1 - y0 : y0;
  if (y > Math.exp(-2)) {
    const z = y - 0.5, z2 = z * z;
    return (z + z * ((z2 * polynomial(z2, P0)) / polynomial(z2, Q0))) * 2.50662827463100050242;
  }
  const x = Math.sqrt(-2 * Math.log(y)), z = 1 / x;
  const found = x - Math.log(x) / x - (x < 8 ? (z * polynomial(z, P1)) / polynomial(z, Q1) : (z * polynomial(z, P2)) / polynomial(z, Q2));
  return upper ? found : -found;
}
const EDGE = 1e-7, ENDS_OF_BELL = [bell(1e-7 - 2 ** -52), bell(1 - (1e-7 - 2 ** -52))];

function rank(x, q, r, onBell) {
  if (Number.isNaN(x)) return NAN;
  const flip = values => values.map(v => -v).reverse(), last = q.length - 1;
  let share = 0.5 * (interpolated(x, q, r) - interpolated(-x, flip(q), flip(r)));
  if (onBell ? x + EDGE > q[last] : x === q[last]) share = 1;
  if (onBell ? x - EDGE < q[0] : x === q[0]) share = 0;
  return onBell ? Math.min(Math.max(bell(share), ENDS_OF_BELL[0]), ENDS_OF_BELL[1]) : share;
}

// Yeo and Johnson, Biometrika 87 (2000).
function powered(x, p) {
  if (Number.isNaN(x)) return NAN;
  const up = Math.log1p(Math.abs(x));
  if (x >= 0) return Math.abs(p) < 2 ** -52 ? up : Math.expm1(p * up) / p;
  return Math.abs(p - 2) <= 2 ** -52 ? -up : -Math.expm1((2 - p) * up) / (2 - p);
}

const logistic = z => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));
const BENDS = { identity: z => z, logistic, relu: z => Math.max(z, 0), tanh: Math.tanh, exp: Math.exp };

// ---- operations: (operation, what it reads, spec) -> what it writes -------------------------------------------------------------
const each = act => (op, x) => x.map((v, i) => act(v, op, i));
const coded = (v, op, i) => isMissing(v) ? or(op.missing[i], NAN) : or(op.known[i].get(v), or(op.unknown[i], NAN));
const CALENDAR = {
  year: days => civilOf(days + EPOCH)[0],
  month: days => civilOf(days + EPOCH)[1],
  day: days => civilOf(days + EPOCH)[2],
  weekday: days => (((days + EPOCH + 3) % 7) + 7) % 7,
  hour: (days, rest) => Math.floor(rest / 3_600_000_000),
  elapsed: (days, rest) => (days * DAY + rest) / DAY,
};

function leafOf(op, x, node) {
  while (op.left[node] > 0) {
    const v = x[op.feature[node]], set = op.set[node];
    const goesLeft = Number.isNaN(v) ? op.gap_left[node] === 1 : set < 0 ? v <= op.threshold[node] : op.sets[set].includes(v);
    node = goesLeft ? op.left[node] : op.right[node];
  }
  return op.values[-op.left[node] - 1];
}

const OPERATIONS = {
  read: (op, [t], spec) => {
    const v = t === null ? null : readNumber(tidy(t), op.units, op.decimal, spec.units);
    return [v === null || op.codes.includes(v) ? NAN : v];
  },
  date: (op, [t]) => (t === null ? null : readDate(tidy(t), op.dayfirst)) ?? [NAN, NAN],
  truth: (op, [t]) => [t === null ? NAN : readTruth(t) ?? NAN],
  respell: (op, [t]) => [t === null ? null : Object.hasOwn(op.table, t) ? op.table[t] : or(op.other, t)],
  clean: (op, [t]) => [t === null ? "" : lowered(t).split(SPACES).filter(Boolean).join(" ")],
  name: (op, [v]) => [Number.isNaN(v) ? null : op.truth ? (v ? "True" : "False") : numberName(v)],
  words(op, [t]) {
    const weights = new Array(op.words.length).fill(0);
    for (const word of wordsOf(t ?? "")) if (op.place.has(word)) weights[op.place.get(word)] += 1;
    for (let j = 0; j < weights.length; j++) weights[j] *= op.idf[j];
    const length = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0));
    return length ? weights.map(w => w / length) : weights;
  },
  fill: each((v, op, i) => (Number.isNaN(v) ? or(op.value[i], NAN) : v)),
  fill_text: each((v, op, i) => v ?? op.value[i]),
  blank: each((v, op, i) => (op.codes[i].includes(v) ? NAN : v)),
  gap: each(v => (Number.isNaN(v) ? 1 : 0)),
  gap_text: each(v => (v === null ? 1 : 0)),
  refuse(op, x) {
    const bad = x.some((v, i) => (Number.isNaN(v) ? !op.missing : v < or(op.low[i], -Infinity) || v > or(op.high[i], Infinity)));
    if (bad) throw new Refused("a value is missing, or too large for the model");
    return [];
  },
  refuse_text(op, x) {
    if (x.some(v => v === null)) throw new Refused("a value is missing that the model must know");
    return [];
  },
  code: each(coded),
  code_number: each(coded),
  spread: (op, [v]) => Array.from({ length: op.n }, (_, j) => (v === j ? 1 : 0)),
  table: (op, [v]) => op.rows[v],
  constant: op => op.value.map(v => or(v, NAN)),
  clip: each((v, op, i) => (Number.isNaN(v) ? v : Math.min(Math.max(v, or(op.low[i], -Infinity)), or(op.high[i], Infinity)))),
  affine: each((v, op, i) => ((v - op.subtract[i]) / op.divide[i]) * op.multiply[i] + op.add[i]),
  power: each((v, op, i) => powered(v, op.power[i])),
  rank: each((v, op, i) => rank(v, op.quantiles[i], op.references[i], op.bell)),
  curve: each((v, op, i) => interpolated(v, op.x[i], op.y[i])),
  calendar: (op, [days, rest]) => op.parts.map(part => (Number.isNaN(days) ? NAN : CALENDAR[part](days, rest))),
  layer: (op, x) => op.weights.map((w, j) => {
    let z = 0;
    for (let i = 0; i < x.length; i++) z += w[i] * x[i];
    return op.bend === "power" ? (z + op.bias[j]) ** op.power : BENDS[op.bend](z + op.bias[j]);
  }),
  bend: each((v, op, i) => BENDS[op.bend](v * op.times[i])),
  distance: (op, x) => op.centres.map((centre, j) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (op.weights ? op.weights[j][i] : 1) * (x[i] - centre[i]) ** 2;
    return sum;
  }),
  nearest(op, x) {
    const far = x.map(Math.sqrt), rows = far.map((_, j) => j).sort((a, b) => far[a] - far[b] || a - b).slice(0, op.k);
    const here = op.inverse && rows.some(j => far[j] === 0), weight = j => (here ? Number(far[j] === 0) : op.inverse ? 1 / far[j] : 1);
    const total = rows.reduce((sum, j) => sum + weight(j), 0);
    return op.answers[0].map((_, k) => rows.reduce((sum, j) => sum + weight(j) * op.answers[j][k], 0) / total);
  },
  trees(op, x) {
    const total = [...op.base];
    op.root.forEach((root, t) => { const leaf = leafOf(op, x, root); for (let k = 0; k < leaf.length; k++) total[op.to[t] + k] += leaf[k]; });
    return total.map(v => v / op.divide);
  },
  softmax(op, x) {
    const most = Math.max(...x), e = x.map(v => Math.exp(v - most)), total = e.reduce((a, b) => a + b, 0);
    return e.map(v => v / total);
  },
  share(op, x) {
    const total = x.reduce((a, b) => a + b, 0);
    return x.map(v => (total === 0 ? 1 / x.length : v / total));
  },
  mean(op, x) {
    const total = op.weights.reduce((a, b) => a + b, 0);
    return Array.from({ length: op.n }, (_, k) => op.weights.reduce((sum, w, m) => sum + w * x[m * op.n + k], 0) / total);
  },
  duel(op, x) {
    const votes = new Array(op.n).fill(0), sums = new Array(op.n).fill(0);
    let pair = 0;
    for (let i = 0; i < op.n; i++) for (let j = i + 1; j < op.n; j++, pair++) {
      sums[i] += x[pair];
      sums[j] -= x[pair];
      votes[x[pair] >= 0 ? i : j] += 1;
    }
    return votes.map((v, k) => v + (op.votes ? 0 * sums[k] : sums[k] / (3 * (Math.abs(sums[k]) + 1)))); // NaN where a sum is not finite
  },
};
const READS_TEXT = new Set(["read", "date", "truth", "respell", "clean", "words", "fill_text", "gap_text", "refuse_text", "code"]);

// ---- the whole -----------------------------------------------------------------------------------------------------------------
function prepared(op) {
  const more = {};
  if (op.levels) more.known = op.levels.map((levels, i) => new Map(levels.map((level, j) => [level, op.codes[i][j]])));
  if (op.words) more.place = new Map(op.words.map((word, j) => [word, j]));
  return { ...op, ...more };
}

function scoresOf(spec, ops, row) {
  if (typeof row !== "object" || row === null) throw new Refused("a row must be an object {column: value}");
  const numbers = new Array(spec.numbers).fill(NAN), texts = new Array(spec.texts).fill(null);
  for (const op of ops) {
    let made;
    if (op.op === "cell") {
      made = [CELLS[op.kind](cellOf(row, op), op, spec)].flat();
    } else {
      const from = READS_TEXT.has(op.op) ? texts : numbers;
      made = OPERATIONS[op.op](op, op.in.map(place => from[place]), spec);
    }
    const to = op.kind === "text" ? texts : numbers;
    for (let i = 0; i < made.length; i++) to[op.out + i] = made[i];
  }
  return spec.answer.scores.map(place => numbers[place]);
}

function answerOf({ task, classes, positive, threshold, probabilities }, scores) {
  if (!scores.every(Number.isFinite)) throw new Refused("the model has no answer for this row");
  if (task === "regression") return { prediction: scores[0] };
  let best = scores.indexOf(Math.max(...scores));
  if (threshold !== null) {
    const yes = classes.indexOf(positive);
    best = scores[yes] >= threshold ? yes : 1 - yes;
  }
  const found = { prediction: classes[best] };
  if (probabilities) found.probabilities = Object.fromEntries(classes.map((c, k) => [c, scores[k]]));
  return found;
}

export function portable(spec) {
  if (spec.format !== "mlwork portable model" || spec.version !== 1) throw new TypeError("a portable model must be of version 1");
  const ops = spec.ops.map(prepared);
  return { spec, predict: row => answerOf(spec.answer, scoresOf(spec, ops, row)) };
}
