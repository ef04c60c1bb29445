// The import table of the design as rules (docs/adr/0009-import-table.md). `npm run lint` runs them;
// test/house/imports.test.ts plants a violation of each.

const FOLDERS = [
  'domain', 'db', 'channels', 'carriers', 'partners', 'messengers', 'activities', 'workflows', 'workers', 'api', 'runtime', 'bin', 'simulators',
  'console', 'bench', 'test',
];
const CONTRACT = 'workflows/contract';
/** Imports that are erased before anything runs. */
const TYPES = ['type-only', 'type-import'];
const LIBRARIES = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown', 'core'];

const within = (...paths) => `^(${paths.join('|')})/`;
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const ANY_FOLDER = within(...FOLDERS);
const PRODUCT = within(...FOLDERS.filter((folder) => folder !== 'bench' && folder !== 'test'));
const CONNECTORS = 'channels|carriers|partners|messengers';

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
/** The folder itself is always allowed; `types` are the folders of which only types may be imported. */
const folderRule = (folder, allowed, types = []) => [
  rule(`${folder}-imports`, `${folder} may import of the other folders: ${[...allowed, ...types.map((t) => `types of ${t}`)].join(', ') || 'nothing'}`,
    { path: within(folder) }, { path: ANY_FOLDER, pathNot: within(folder, ...allowed, ...types) }),
  ...(types.length === 0 ? [] : [rule(`${folder}-types-only`, `${folder} may import only types of ${types.join(', ')}: import type`,
    { path: within(folder) }, { path: within(...types), pathNot: within(folder, ...allowed), dependencyTypesNot: TYPES })]),
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...folderRule('domain', []),
    rule('domain-pure', 'domain uses no package and nothing of Node: time, chance and ids are arguments',
      { path: within('domain') }, { dependencyTypes: LIBRARIES }),

    ...folderRule('runtime', []),
    ...folderRule('simulators', []), // never the connectors they test
    ...folderRule('db', ['domain', 'runtime']),

    ...folderRule('channels', ['domain']),
    ...folderRule('carriers', ['domain']),
    ...folderRule('partners', ['domain']),
    ...folderRule('messengers', ['domain']),
    rule('connectors-http-injected', 'connectors reach the network by the injected Http port, so that tests and limits see every call',
      { path: within(CONNECTORS) }, { path: `^(http|https|http2|net|tls|dgram)$|${packages('undici', 'axios', 'got', 'node-fetch')}` }),
    rule('connectors-apart', 'a connector does not know another one; what they share lies beside their folders',
      { path: `^(${CONNECTORS})/([^/]+)/` }, { path: `^(${CONNECTORS})/[^/]+/`, pathNot: '^$1/$2/' }),
    rule('connectors-by-registry', 'who uses connectors takes them from registry.ts: a new one is a folder and a line there',
      { path: within('activities', 'api', 'db') }, { path: `^(${CONNECTORS})/[^/]+/` }),

    rule('contract-imports', 'workflows/contract may import of the other folders: domain',
      { path: within(CONTRACT) }, { path: ANY_FOLDER, pathNot: within(CONTRACT, 'domain') }),
    rule('contract-libraries', 'workflows/contract may use @temporalio/workflow and @temporalio/common',
      { path: within(CONTRACT) }, { dependencyTypes: LIBRARIES, pathNot: packages('@temporalio/workflow', '@temporalio/common') }),
    rule('workflows-imports', 'workflows may import: their contract, state machines of domain, types of activities',
      { path: within('workflows'), pathNot: within(CONTRACT) }, { path: ANY_FOLDER, pathNot: within('workflows', 'domain', 'activities') }),
    rule('workflows-types-only', 'workflows may import only types of activities: import type',
      { path: within('workflows') }, { path: within('activities'), dependencyTypesNot: TYPES }),
    rule('workflows-state-machines', 'workflows run only state machines of domain (flow.ts, status.ts, ids.ts): a change of policy must never break a replay',
      { path: within('workflows'), pathNot: within(CONTRACT) },
      { path: within('domain'), pathNot: '[/-](flow|status|ids)\\.ts$', dependencyTypesNot: TYPES }),
    rule('workflows-libraries', 'workflows may use @temporalio/workflow and nothing else: they run in a deterministic isolate',
      { path: within('workflows'), pathNot: within(CONTRACT) }, { dependencyTypes: LIBRARIES, pathNot: packages('@temporalio/workflow') }),

    ...folderRule('activities', ['domain', 'db', CONNECTORS, CONTRACT, 'runtime']),
    ...folderRule('api', ['domain', CONTRACT, 'db', CONNECTORS, 'runtime'], ['workflows']),

    ...folderRule('console', []),
    rule('console-libraries', 'the console runs in a browser and knows the API only', { path: within('console') }, { dependencyTypes: ['core'] }),
    rule('not-to-console', 'nothing imports the console: it is served as files', { path: within('workers', 'bin') }, { path: within('console') }),
    rule('not-to-test', 'the product does not need its tests and benchmarks', { path: PRODUCT }, { path: within('bench', 'test') }),

    rule('no-cycles', 'modules that import each other cannot be understood or tested one at a time; types count too', {}, { circular: true }),
    rule('not-to-unresolvable', 'the module is not there', {}, { couldNotResolve: true }),
    rule('not-to-dev-dep', 'what the product needs at run time belongs into dependencies',
      { path: PRODUCT }, { dependencyTypes: ['npm-dev'], dependencyTypesNot: TYPES }),
    rule('not-to-undeclared', 'every package that is imported stands in package.json', {}, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
    {
      name: 'no-unused-modules',
      comment: 'nothing of the product imports this module: wire it or delete it (a test alone does not count). Entries are listed here',
      severity: 'error',
      from: { pathNot: within('test') },
      module: {
        numberOfDependentsLessThan: 1,
        path: PRODUCT,
        pathNot: ['^(bin|console)/', '/main\\.ts$', '/thread\\.mjs$', '^workflows/index\\.ts$', '\\.d\\.ts$'],
      },
    },
    {
      name: 'no-unused-support',
      comment: 'no test or benchmark uses this module',
      severity: 'error',
      from: {},
      module: {
        numberOfDependentsLessThan: 1,
        path: within('test'),
        pathNot: ['\\.test\\.ts$', '^test/support/global-setup\\.ts$', '^test/types/', '\\.d\\.ts$'],
      },
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(\\.data|\\.git|\\.ci|dist|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
