/** A semantic version, as far as the rig compares it. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * The first `X.Y.Z` in a text, since every tool wraps its own differently:
 * `Kubernetes v1.36.3`, `etcd Version: 3.7.3`, `prometheus, version 2.42.0+ds (branch: ...)`.
 */
export function parseVersion(text: string): Version | undefined {
  const match = /v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) };
}

/**
 * Whether a binary found on the machine may stand in for the pinned one: same major, same minor or newer.
 * An older API server would refuse fields that the operator's resources use; an older kubectl is out of its skew.
 */
export function isAcceptable(found: Version, pinned: Version): boolean {
  return found.major === pinned.major && found.minor >= pinned.minor;
}

/** The version that a go.mod requires of one module: go.mod is the only place where a tool is pinned. */
export function requiredVersion(goMod: string, module: string): string | undefined {
  for (const line of goMod.split('\n')) {
    const words = line
      .replace(/^\s*require\s+/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === module && words[1]?.startsWith('v') === true) return words[1];
  }
  return undefined;
}
