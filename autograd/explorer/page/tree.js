// Steps in order, in groups that fold: a phase, and in it the modules, each a run of steps that follow each other.

/** Where a step belongs, from the outside in: "backward", "Net", "layers", "0". */
function pathOf(step) {
  return step.module === "" ? [step.phase] : [step.phase, ...step.module.split(".")];
}

function buildTree(run) {
  const root = { label: "", children: [], depth: -1, phase: "" };
  let open = [root];
  for (const step of run.steps) {
    const path = pathOf(step);
    let same = 0;
    while (same < path.length && same + 1 < open.length && open[same + 1].label === path[same]) ++same;
    open = open.slice(0, same + 1);
    for (const label of path.slice(same)) {
      const group = { label, children: [], phase: step.phase, isFolded: false };
      open[open.length - 1].children.push(group);
      open.push(group);
    }
    open[open.length - 1].children.push(step);
  }
  finishGroup(root, -1, null);
  return root;
}

const isGroup = (node) => node.children !== undefined;

/** Joins a group that has nothing but one group with that one, and counts steps and seconds. */
function finishGroup(group, depth, parent) {
  while (depth > 0 && group.children.length === 1 && isGroup(group.children[0])) {
    group.label += "." + group.children[0].label;
    group.children = group.children[0].children;
  }
  Object.assign(group, { depth, parent, steps: 0, seconds: 0, first: -1 });
  for (const child of group.children) {
    if (isGroup(child)) {
      finishGroup(child, depth + 1, group);
    } else {
      child.group = group;
    }
    group.steps += isGroup(child) ? child.steps : 1;
    group.seconds += child.seconds;
    if (group.first < 0) group.first = isGroup(child) ? child.first : child.number;
  }
}

/** The rows that are seen: groups, and steps that are in no folded one. */
function visibleRows(root) {
  const rows = [];
  const visit = (group) => {
    for (const child of group.children) {
      rows.push(child);
      if (isGroup(child) && !child.isFolded) visit(child);
    }
  };
  visit(root);
  return rows;
}

/** The outermost folded group around a step, or null. */
function foldedAround(step) {
  let folded = null;
  for (let group = step.group; group !== null; group = group.parent) {
    if (group.isFolded) folded = group;
  }
  return folded;
}

function unfoldAround(step) {
  let changed = false;
  for (let group = step.group; group !== null; group = group.parent) {
    changed = changed || group.isFolded === true;
    group.isFolded = false;
  }
  return changed;
}
