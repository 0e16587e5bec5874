import { fixturesDigest, forestFixtures } from './fixtures.ts';

/** Prints the fixtures as JSON for scikit-learn.py. */
const fixtures = forestFixtures();
const plain = fixtures.map((fixture) => ({
  ...fixture,
  train: [...fixture.train],
  test: [...fixture.test],
  labels: [...fixture.labels],
}));
console.log(JSON.stringify({ digest: fixturesDigest(fixtures), fixtures: plain }));
