// Takes a packet through the hooks of nftables as the kernel does, and says what becomes of it.
import type { NftChain, NftModel, NftTable } from './nft-model.ts';
import { compileRule, type Packet, type Rule, type RuleContext } from './nft-rule.ts';

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** More steps than these from chain to chain, and the rules go round in circles. */
const MAX_DEPTH = 16;

interface BaseChain {
  table: NftTable;
  name: string;
  priority: number;
  policy: string;
}

/** Shows packets to the rules of one model. */
export class NftWalk {
  readonly #model: NftModel;
  readonly #known = new Map<Hook, readonly BaseChain[]>();
  #knownAt = -1;
  readonly #real = new WeakMap<NftTable, RuleContext>();
  readonly #asked = new WeakMap<NftTable, RuleContext>();

  constructor(model: NftModel) {
    this.#model = model;
  }

  /**
   * Whether a packet gets through one hook; rules may change it on the way.
   *
   * @param isReal whether counters and sets take note of it.
   */
  passes(hook: Hook, packet: Packet, isReal: boolean): boolean {
    for (const { table, name, policy } of this.#basesOf(hook)) {
      const context = this.#contextOf(table, isReal);
      const verdict = judgeChain(table, name, packet, context, 0) ?? policy;
      if (verdict === 'drop') return false;
    }
    return true;
  }

  /** Chains at one hook, in their order. */
  #basesOf(hook: Hook): readonly BaseChain[] {
    if (this.#knownAt !== this.#model.version) this.#known.clear();
    this.#knownAt = this.#model.version;
    const known = this.#known.get(hook);
    if (known) return known;
    const bases = [...this.#model.tables.values()]
      .flatMap((table) =>
        [...table.chains].flatMap(([name, { base }]) =>
          base?.hook === hook ? [{ table, name, ...base }] : [],
        ),
      )
      .sort((a, b) => a.priority - b.priority);
    this.#known.set(hook, bases);
    return bases;
  }

  #contextOf(table: NftTable, isReal: boolean): RuleContext {
    const contexts = isReal ? this.#real : this.#asked;
    const known = contexts.get(table);
    if (known) return known;
    const made = this.#newContext(table, isReal);
    contexts.set(table, made);
    return made;
  }

  #newContext(table: NftTable, isReal: boolean): RuleContext {
    return {
      holds: (name, key) => {
        const set = table.sets.get(name);
        return set !== undefined && this.#model.has(set, key);
      },
      find: (name, key) => {
        const map = table.sets.get(name);
        return map && this.#model.has(map, key) ? map.elements.get(key)!.value : null;
      },
      count: (name, { bytes }) => {
        const counter = table.counters.get(name);
        if (!counter || !isReal) return;
        counter.packets++;
        counter.bytes += bytes;
      },
      note: (name, key) => {
        const set = table.sets.get(name);
        if (set && isReal) this.#model.update(set, key);
      },
    };
  }
}

/** A chain is never changed, but replaced by another. */
const compiled = new WeakMap<NftChain, readonly Rule[]>();

function rulesOf(chain: NftChain): readonly Rule[] {
  const known = compiled.get(chain);
  if (known) return known;
  const rules = chain.rules.map(compileRule);
  compiled.set(chain, rules);
  return rules;
}

/** Null where the chain ends without a verdict. */
function judgeChain(
  table: NftTable,
  name: string,
  packet: Packet,
  context: RuleContext,
  depth: number,
): 'accept' | 'drop' | null {
  if (depth > MAX_DEPTH) throw new Error(`nft: chains go round in circles at ${name}`);
  const chain = table.chains.get(name);
  for (const rule of chain ? rulesOf(chain) : []) {
    const verdict = rule.judge(packet, context);
    if (verdict === null) continue;
    if (verdict.kind === 'return') return null;
    if (verdict.kind === 'accept' || verdict.kind === 'drop') return verdict.kind;
    if (verdict.kind === 'jump' || verdict.kind === 'goto') {
      const inner = judgeChain(table, verdict.chain, packet, context, depth + 1);
      if (inner !== null || verdict.kind === 'goto') return inner;
    }
  }
  return null;
}
