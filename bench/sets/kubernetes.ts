import type { Bench, Report } from '../registry.ts';
import { writeCases } from './case-rows.ts';
import { DEVELOPMENT_SEED, HELD_OUT_SEED, runKubernetesFailures, statusAlone } from './kubernetes-failures.ts';
import type { FailureFigures } from './kubernetes-failures.ts';

const PER_TYPE = 100;

function figures(
  name: string,
  seed: number,
  { macroF1, harmfulRemedyRate, abstention, calibrationError, cases }: FailureFigures,
): Report['figures'] {
  return [
    {
      name: `${name}: macro F1`,
      value: macroF1,
      unit: '',
      target: { kind: 'min', value: 0.95 },
      peer: { name: 'reasons of Kubernetes alone', value: statusAlone(seed, PER_TYPE) },
      note: `${cases} cases`,
    },
    { name: `${name}: harmful remedy`, value: harmfulRemedyRate, unit: '', target: { kind: 'max', value: 0.005 } },
    {
      name: `${name}: abstains outside the taxonomy`,
      value: abstention,
      unit: '',
      target: { kind: 'min', value: 0.9 },
    },
    { name: `${name}: calibration error`, value: calibrationError, unit: '' },
  ];
}

/** The generated failure set; rules and weights were chosen on the development seed only. */
export const kubernetesBench: Bench = {
  name: 'kubernetes',
  about: 'failure types on a generated set of Kubernetes failures',
  run({ out }) {
    const development = runKubernetesFailures(DEVELOPMENT_SEED, PER_TYPE);
    const heldOut = runKubernetesFailures(HELD_OUT_SEED, PER_TYPE);
    writeCases(
      out,
      'kubernetes',
      heldOut.rows.map((row) => ({ ...row, topType: row.top })),
    );
    const weak = heldOut.perType.filter((type) => type.f1 < 0.95);
    return {
      set: 'kubernetes',
      figures: [
        ...figures('development', DEVELOPMENT_SEED, development),
        ...figures('held out', HELD_OUT_SEED, heldOut),
      ],
      lines: weak.map(
        (type) => `${type.type}: precision ${type.precision.toFixed(3)}, recall ${type.recall.toFixed(3)}`,
      ),
    };
  },
};
