import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['**/*.ts'];
const NODE_MODULES = { regex: '^(node:|(assert|async_hooks|buffer|child_process|cluster|crypto|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)(/|$))' };
/** The inner files of a package may change with any release. Packages with an `exports` map forbid it themselves. */
const DEEP_IMPORTS = {
  regex: '^(@[^/]+/)?[^./@][^/]*/(lib|src|dist|build|internal)(/|$)',
  message: 'Import the entry point of the package, not its inner files.',
};

export default tseslint.config(
  { ignores: ['**/node_modules/', '.data/', '.ci/', 'dist/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-debugger': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-unreachable-loop': 'error',
      'no-unsafe-finally': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', {
        selector: "CallExpression[callee.property.name='catch'] > :matches(ArrowFunctionExpression, FunctionExpression)[body.type='BlockStatement'][body.body.length=0]",
        message: 'A swallowed error: handle it, or say in the handler why nothing is to be done.',
      }],
      'no-restricted-imports': ['error', { patterns: [DEEP_IMPORTS] }],
    },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-array-delete': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ['bin/**', 'bench/**', 'simulators/**'], rules: { 'no-console': 'off' } },
  { files: ['test/**', 'bench/**', 'db/migrations/**'], rules: { 'max-lines': 'off' } },
  {
    // A test says what it knows: `rows[0]!` reads better there than a branch that never runs.
    files: ['test/**', 'bench/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: '^[^.]', message: 'domain/ uses no package and nothing of Node.' }] }],
      'no-restricted-globals': ['error', ...['process', 'Buffer', 'performance', 'crypto', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'require'].map(
        (name) => ({ name, message: 'domain/ decides; time, chance and the world are arguments.' }))],
      'no-restricted-properties': ['error',
        { object: 'Date', property: 'now', message: 'Time is an argument in domain/.' },
        { object: 'Math', property: 'random', message: 'Chance is an argument in domain/.' },
        ...['process', 'crypto', 'performance'].map((property) => ({ object: 'globalThis', property, message: 'domain/ decides; the world is an argument.' })),
      ],
      'no-restricted-syntax': ['error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is an argument in domain/.' },
        { selector: "CallExpression[callee.name='Date']", message: 'Time is an argument in domain/.' },
        { selector: 'AwaitExpression', message: 'domain/ does no I/O, so it has nothing to wait for.' },
        { selector: 'ImportExpression', message: 'domain/ imports nothing at run time.' },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [DEEP_IMPORTS, { ...NODE_MODULES, message: 'Workflows run in an isolate without Node; ask an activity.' }] }],
      'no-restricted-globals': ['error', ...['process', 'Buffer', 'performance', 'crypto', 'fetch', 'require'].map(
        (name) => ({ name, message: 'Workflows run in an isolate without Node; ask an activity.' }))],
    },
  },
  {
    files: ['channels/**/*.ts', 'carriers/**/*.ts', 'partners/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', { name: 'fetch', message: 'Connectors reach the network by the injected Http port.' }] },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
);
