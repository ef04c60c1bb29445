import { readdir, readFile } from 'node:fs/promises';
import knex from 'knex';

const directory = new URL('./migrations/', import.meta.url);

/** Numbered SQL files, run in order, each in its transaction; a file never changes once it has landed. */
const source = {
  async getMigrations() { return (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort(); },
  getMigrationName(name: string) { return name; },
  async getMigration(name: string) {
    const sql = await readFile(new URL(name, directory), 'utf8');
    return {
      async up(db: knex.Knex) { await db.raw(sql.replaceAll('?', '\\?')); },
      down() { return Promise.reject(new Error('migrations go forward only: restore a backup instead')); },
    };
  },
};

/** Brings a database to the code's version. Throws when the database is newer than the code. Safe when several start at once. */
export async function migrate(databaseUrl: string): Promise<void> {
  const db = knex({ client: 'pg', connection: databaseUrl, pool: { min: 1, max: 2 } });
  try {
    // knex's own lock fails the second starter; an advisory lock makes it wait.
    await db.transaction(async (guard) => {
      await guard.raw(`select pg_advisory_xact_lock(hashtext('tributary:migrate'))`);
      await db.migrate.latest({ migrationSource: source, tableName: 'schema_migrations' });
    });
  } finally {
    await db.destroy();
  }
}
