/**
 * Log templates after Drain (He et al., 2017): mask what varies, then walk a fixed-depth tree (length of the line, then
 * its first tokens) to a short list of templates and join the most similar one, or open a new one. Everything is bounded:
 * the line, its tokens, the children of a node, the templates of a leaf and of the whole tree. A full tree answers with
 * its most similar template or with one for "everything else", so hostile text costs time in proportion to its length.
 */
import { maskToken, VARIABLE } from './log-masking.ts';

/** Lines are cut at 8 KiB, as everywhere. */
const MAX_LINE = 8192;
const MAX_TOKENS = 120;

export interface TemplateSettings {
  /** Tokens from the start of the line that choose the leaf. */
  readonly depth: number;
  /** Share of equal constant tokens from which a line joins a template. */
  readonly similarity: number;
  readonly maxChildren: number;
  /** Templates of one leaf; a line that fits none of a full leaf joins the most similar. */
  readonly maxPerLeaf: number;
  readonly maxTemplates: number;
}

const DEFAULT_TEMPLATE_SETTINGS: TemplateSettings = {
  depth: 2,
  similarity: 0.75,
  maxChildren: 100,
  maxPerLeaf: 64,
  maxTemplates: 2000,
};

export interface Template {
  readonly id: number;
  /** Constant tokens, and `<*>` where lines differ. */
  readonly tokens: readonly string[];
  readonly count: number;
}

interface Group {
  readonly id: number;
  readonly tokens: string[];
  count: number;
}

interface TreeNode {
  readonly children: Map<string, TreeNode>;
  readonly groups: Group[];
}

const aNode = (): TreeNode => ({ children: new Map(), groups: [] });

/** Learns templates from lines, one pass, bounded memory. Not safe to share between streams of different meaning. */
export class TemplateMiner {
  readonly #settings: TemplateSettings;
  readonly #roots = new Map<number, TreeNode>();
  readonly #groups: Group[] = [];
  #rest: Group | undefined;

  constructor(settings: Partial<TemplateSettings> = {}) {
    this.#settings = { ...DEFAULT_TEMPLATE_SETTINGS, ...settings };
  }

  /** Id of the template that the line belongs to now; the template may still become more general. */
  add(message: string): number {
    const tokens = tokensOf(message);
    const leaf = this.#leafFor(tokens);
    const group = this.#mostSimilar(leaf.groups, tokens) ?? this.#open(leaf, tokens);
    group.count += 1;
    generalise(group.tokens, tokens);
    return group.id;
  }

  template(id: number): Template | undefined {
    const group = this.#groups[id];
    return group === undefined ? undefined : { id, tokens: [...group.tokens], count: group.count };
  }

  /** Templates known, that for everything else included. */
  get size(): number {
    return this.#groups.length;
  }

  #leafFor(tokens: readonly string[]): TreeNode {
    let node = this.#roots.get(tokens.length);
    if (node === undefined) {
      node = aNode();
      this.#roots.set(tokens.length, node);
    }
    const depth = Math.min(this.#settings.depth, tokens.length);
    for (let i = 0; i < depth; i++) node = this.#childOf(node, tokens[i] ?? VARIABLE);
    return node;
  }

  #childOf(node: TreeNode, token: string): TreeNode {
    const isFull = node.children.size >= this.#settings.maxChildren;
    const known = node.children.get(token) ?? (isFull ? node.children.get(VARIABLE) : undefined);
    if (known !== undefined) return known;
    const child = aNode();
    node.children.set(isFull ? VARIABLE : token, child);
    return child;
  }

  #mostSimilar(groups: readonly Group[], tokens: readonly string[]): Group | undefined {
    let best: Group | undefined;
    let bestShare = -1;
    let bestVariables = -1;
    for (const group of groups) {
      const { share, variables } = similarity(group.tokens, tokens);
      if (share > bestShare || (share === bestShare && variables > bestVariables)) {
        [best, bestShare, bestVariables] = [group, share, variables];
      }
    }
    const isFull = groups.length >= this.#settings.maxPerLeaf || this.#groups.length >= this.#settings.maxTemplates;
    return bestShare >= this.#settings.similarity || isFull ? best : undefined;
  }

  #open(leaf: TreeNode, tokens: readonly string[]): Group {
    if (this.#groups.length >= this.#settings.maxTemplates) return this.#everythingElse();
    return this.#create(leaf, tokens);
  }

  #create(leaf: TreeNode, tokens: readonly string[]): Group {
    const group: Group = { id: this.#groups.length, tokens: [...tokens], count: 0 };
    this.#groups.push(group);
    leaf.groups.push(group);
    return group;
  }

  /** Where a full tree puts lines that fit nowhere. */
  #everythingElse(): Group {
    this.#rest ??= this.#create(aNode(), [VARIABLE]);
    return this.#rest;
  }
}

/** Tokens of a line with what varies masked: numbers, addresses, identifiers, paths, quoted values. */
export function tokensOf(message: string): readonly string[] {
  const line = message.length > MAX_LINE ? message.slice(0, MAX_LINE) : message;
  const tokens: string[] = [];
  let start = -1;
  for (let i = 0; i <= line.length && tokens.length < MAX_TOKENS; i++) {
    const code = i < line.length ? line.charCodeAt(i) : 32;
    const isSpace = code <= 32;
    if (!isSpace && start < 0) start = i;
    if (isSpace && start >= 0) {
      tokens.push(maskToken(line.slice(start, i)));
      start = -1;
    }
  }
  return tokens;
}

function similarity(template: readonly string[], tokens: readonly string[]): { share: number; variables: number } {
  let equal = 0;
  let variables = 0;
  for (let i = 0; i < template.length; i++) {
    if (template[i] === tokens[i]) equal += 1;
    else if (template[i] === VARIABLE) variables += 1;
  }
  return { share: template.length === 0 ? 1 : equal / template.length, variables };
}

function generalise(template: string[], tokens: readonly string[]): void {
  const length = Math.min(template.length, tokens.length);
  for (let i = 0; i < length; i++) if (template[i] !== tokens[i]) template[i] = VARIABLE;
}
