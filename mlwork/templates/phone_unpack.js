// Trees travel packed: what follows from their order is left out, and leaves are the bytes of their floats. Here they are laid out again, exactly.
const WIDTH = 8;

// Eight planes: the first bytes of all floats, then the second ones, and so on.
function floats(text) {
  const planes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), n = planes.length / WIDTH, view = new DataView(new ArrayBuffer(planes.length));
  for (let i = 0; i < n; i++) for (let b = 0; b < WIDTH; b++) view.setUint8(WIDTH * i + b, planes[b * n + i]);
  return Array.from({ length: n }, (_, i) => view.getFloat64(WIDTH * i, true));
}

const members = hex => [...hex].reverse().flatMap((digit, i) => [0, 1, 2, 3].filter(bit => (Number.parseInt(digit, 16) >> bit) & 1).map(bit => 4 * i + bit));

// A node is 0 where it is a leaf, its feature + 1 where it asks a threshold, less than 0 where it asks a set; its left child follows it.
function laidOut({ packed, ...rest }) {
  const { nodes, gaps, thresholds, values, width } = packed, n = nodes.length, flat = floats(values), open = [], asked = thresholds.map(list => list.values());
  const op = { ...rest, feature: [], threshold: [], left: [], right: Array.from(nodes, () => 0), gap_left: [], set: [], sets: packed.sets.map(members), values: [] };
  let asks = 0, sets = 0;
  nodes.forEach((node, i) => {
    const leaf = node === 0;
    op.feature.push(leaf ? 0 : Math.abs(node) - 1);
    op.threshold.push(node > 0 ? asked[node - 1].next().value : 0);
    op.set.push(node < 0 ? sets++ : -1);
    op.gap_left.push(leaf ? 0 : Number(gaps[asks++]));
    op.left.push(leaf ? -1 - op.values.length : i + 1);
    if (!leaf) return open.push(i);
    op.values.push(flat.slice(width * op.values.length, width * (op.values.length + 1)));
    if (open.length && i + 1 < n) op.right[open.pop()] = i + 1; // the nearest node that still lacks its right child
  });
  return op;
}

export const unpacked = spec => ({ ...spec, ops: spec.ops.map(op => (op.packed ? laidOut(op) : op)) });
