import { migrate } from '../db/migrate.ts';

const url = process.env['DATABASE_URL'];
if (!url) {
  console.error('DATABASE_URL is not set: give the address of the PostgreSQL database to migrate');
  process.exit(2);
}
await migrate(url);
console.log('database is at the version of this code');
