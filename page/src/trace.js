// The trace that stands in the page, and the state at any of its steps. docs/page.md describes the format.

const EVERY = 512; // A copy of the state is kept at every step of so many, from which to go forwards again.

/// Applies a JSON merge patch (RFC 7396) to a state, in place.
export function merge(target, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const out = target === null || typeof target !== 'object' || Array.isArray(target) ? {} : target;
  for (const key in patch) {
    const value = patch[key];
    if (value === null) delete out[key];
    else out[key] = typeof value === 'object' ? merge(out[key], value) : value;
  }
  return out;
}

/// A trace that is asked for its state at one step after another.
export class Trace {
  constructor(data) {
    Object.assign(this, data);
    this.n = this.steps.length;
    for (const source of this.sources) source.lines = source.text.split('\n');
    this.turns = this.steps.flatMap((step, k) => (step.kind === 'turn' ? [k] : []));
    /// Copies of the state before step 0, 512, 1024 ..., as far as it was asked for.
    this.kept = [structuredClone(data.state)];
    this.at = -1;
    this.now = structuredClone(data.state);
  }

  /// The state after step `k`. It is changed by the next call.
  stateAt(k) {
    const near = Math.min(Math.floor((k + 1) / EVERY), this.kept.length - 1);
    if (k < this.at || near * EVERY - 1 > this.at) {
      this.now = structuredClone(this.kept[near]);
      this.at = near * EVERY - 1;
    }
    while (this.at < k) {
      this.at += 1;
      this.now = merge(this.now, this.patches[this.at]);
      const n = (this.at + 1) / EVERY;
      if (n === this.kept.length) this.kept.push(structuredClone(this.now));
    }
    return this.now;
  }

  /// The sentences of a step: what happens, why, and in a few words.
  says(k, lang) {
    return this.sentences[this.steps[k].say][lang];
  }

  lane(call) {
    return call ? (this.calls[call]?.lane ?? 0) : 0;
  }

  /// The colour of a call is that of its lane; the loop is grey.
  hue(call) {
    const lane = this.lane(call);
    return `--h:var(--l${lane ? ((lane - 1) % 8) + 1 : 0})`;
  }

  /// The name of a call; nothing if it has none.
  label(call) {
    return this.calls[call]?.label ?? '';
  }
}
