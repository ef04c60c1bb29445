import serializerSelector from '@fastify/fast-json-stringify-compiler';
import { Ajv, type ValidateFunction } from 'ajv';
import formatsModule from 'ajv-formats';
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import type { FastifyRouteSchemaDef } from 'fastify/types/schema.js';

// ajv-formats is CommonJS: its function is the module's default.
const formats = formatsModule.default;
// Nothing is taken out, filled in or converted silently in a body; query strings are text, so there it is.
const strict = formats(new Ajv({ strict: false, allErrors: false, discriminator: true }));
const coercing = formats(new Ajv({ strict: false, allErrors: false, coerceTypes: 'array', useDefaults: true }));
const toText = serializerSelector()({}, {});

/** What `compile` makes of a schema, once for all schemas of the same bytes: compiling several hundred costs seconds of CPU, and a test process builds the API again and again. */
function memo<F>(compile: (schema: object) => F): (schema: object) => F {
  const made = new Map<string, F>();
  return (schema) => {
    const key = JSON.stringify(schema);
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = compile(schema);
    made.set(key, fresh);
    return fresh;
  };
}

const bodies = memo((schema) => strict.compile(schema));
const texts = memo((schema) => coercing.compile(schema));
const answers = memo((schema) => toText({ method: '', url: '', httpStatus: '', schema }));

/** Validators that are compiled when they are first needed (`test/api/schemas.test.ts` compiles all of them). */
export const validatorCompiler: FastifySchemaCompiler<unknown> = ({ schema, httpPart }: FastifyRouteSchemaDef<unknown>) => {
  let made: ValidateFunction | undefined;
  const validate = (data: unknown): boolean => {
    made ??= (httpPart === 'body' ? bodies : texts)(schema as object);
    const valid = made(data);
    validate.errors = made.errors ?? null; // Fastify reads them off the function that it was given
    return valid;
  };
  validate.errors = null as ValidateFunction['errors'] | null;
  return validate as ReturnType<FastifySchemaCompiler<unknown>>;
};

/** Serializers, likewise. */
export const serializerCompiler: FastifySerializerCompiler<unknown> = ({ schema }) => {
  let made: ((data: unknown) => string) | undefined;
  return (data) => (made ??= answers(schema as object))(data);
};
