import { barChart } from '../charts/bar-chart.ts';
import { histogram } from '../charts/histogram.ts';
import type { Chart } from '../registry.ts';
import type { CrossValidation } from './nab-cross-validation.ts';

/** Who scores how much on these files, and what to expect of files that nobody has seen. */
export function nabCharts(
  standings: readonly { readonly name: string; readonly score: number; readonly isPeer: boolean }[],
  { development, cross }: { readonly development: number; readonly cross: CrossValidation },
): readonly Chart[] {
  const ranked = standings.toSorted((a, b) => b.score - a.score);
  const bars = barChart({
    title: 'NAB, standard profile: one threshold for all files',
    subtitle: 'All scored by the same scorer in the same run; 100 is perfect, 0 says nothing.',
    series: ['score'],
    groups: ranked.map(({ name, score, isPeer }) => ({ label: name, values: [score], isPeer })),
    max: 100,
    decimals: 1,
  });
  const charts: Chart[] = [{ name: 'nab', svg: bars }];
  if (cross.scores.length > 0) {
    const svg = histogram({
      title: `NAB, nested cross-validation: ${cross.scores.length} random halves`,
      subtitle: 'Structure, constants and line chosen on one half of the files, scored on the other.',
      values: cross.scores,
      binWidth: 2.5,
      unit: 'standard score on the half that was not chosen on',
      marks: [
        { value: cross.mean, label: `mean ${cross.mean.toFixed(1)}` },
        { value: development, label: `development figure ${development.toFixed(1)}` },
      ],
    });
    charts.push({ name: 'nab-cross-validation', svg });
  }
  return charts;
}
