/**
 * Runs `run` on each item, at most `width` at once, and then on whatever those runs leave over; resolves when nothing is
 * left. Rejects with the first run that does.
 */
export function inParallel<T>(
  items: Iterable<T>,
  width: number,
  run: (item: T) => Promise<readonly T[] | void>,
): Promise<void> {
  const queue = [...items];
  let running = 0;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (queue.length === 0 && running === 0) resolve();
      for (let item = queue[0]; item !== undefined && running < width; item = queue[0]) {
        queue.shift();
        running += 1;
        run(item).then((more) => {
          if (more !== undefined) queue.push(...more);
          running -= 1;
          next();
        }, reject);
      }
    };
    next();
  });
}
