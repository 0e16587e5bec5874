/**
 * Whether a request's `Host` is a name that somebody else may own: one with a dot, and neither an address nor kept for
 * this machine. A page can let its own name lead to 127.0.0.1 (DNS rebinding), and the browser of whoever looks at it
 * then takes a server on that machine for the page's own. A key that everybody knows must not be accepted there.
 */
export function isForeignHost(host: string | undefined): boolean {
  if (host === undefined || host.startsWith('[')) return false;
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  return name.includes('.') && !/^[\d.]+$/.test(name) && !/\.(?:localhost|internal)$/.test(name);
}
