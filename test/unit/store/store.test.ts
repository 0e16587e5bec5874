import { storeSuite } from '../../support/suites/store.ts';
import { aSqliteDatabase } from '../../support/suites/sqlite-database.ts';

storeSuite(aSqliteDatabase);
