import { costBench } from './cost.ts';
import { forestBench } from './forest/forest.ts';
import { noFaultBench } from './no-fault.ts';
import type { Bench } from './registry.ts';
import { kpiBench } from './sets/kpi.ts';
import { kubernetesBench } from './sets/kubernetes.ts';
import { loghubBench } from './sets/loghub.ts';
import { nabBench } from './sets/nab.ts';
import { nezhaBench } from './sets/nezha.ts';
import { petshopBench } from './sets/petshop.ts';
import { sockShopBench } from './sets/sock-shop.ts';

/** The sets of `npm run bench:engine`, in the order of `all`. */
export const ENGINE_BENCHES: readonly Bench[] = [
  nabBench,
  kpiBench,
  sockShopBench,
  nezhaBench,
  petshopBench,
  loghubBench,
  kubernetesBench,
  forestBench,
  costBench,
  noFaultBench,
];
