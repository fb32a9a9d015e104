// tedious, and node-mssql (its pool and its prepared statements) over it.
'use strict';

const fs = require('node:fs');
const { isDeepStrictEqual, inspect } = require('node:util');
const { Connection, Request, TYPES, ISOLATION_LEVEL } = require('tedious');
const mssql = require('mssql');

const { SANDBOX_PORT, SANDBOX_PASSWORD, SANDBOX_CA, SANDBOX_NAME } = process.env;
const MANY_ROWS =
  'WITH d AS (SELECT v FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS t(v)) ' +
  "SELECT a.v + 10 * b.v + 100 * c.v + 1000 * e.v AS n, N'row \u00e9\u53f0' AS words " +
  'FROM d AS a CROSS JOIN d AS b CROSS JOIN d AS c CROSS JOIN d AS e ORDER BY n';

let passed = 0;
let failed = 0;
function equal(name, got, wanted) {
  if (isDeepStrictEqual(got, wanted)) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`  FAILED ${name}: got ${inspect(got)}, wanted ${inspect(wanted)}`);
  }
}

function connect(options = {}, password = SANDBOX_PASSWORD) {
  return new Promise((resolve, reject) => {
    const connection = new Connection({
      server: 'localhost',
      authentication: { type: 'default', options: { userName: 'sa', password } },
      options: { port: Number(SANDBOX_PORT), encrypt: false, connectTimeout: 10000, requestTimeout: 60000, ...options },
    });
    connection.numbers = [];
    connection.on('infoMessage', (message) => connection.numbers.push(message.number));
    connection.on('errorMessage', (message) => connection.numbers.push(message.number));
    connection.connect((error) => (error ? reject(Object.assign(error, { numbers: connection.numbers })) : resolve(connection)));
  });
}

// rows as arrays; parameters are [name, type, value, options], an output one has `output` in its options
function ask(connection, sql, parameters = [], how = 'execSql') {
  return new Promise((resolve) => {
    const rows = [];
    const outputs = {};
    const sets = [];
    const request = new Request(sql, (error, count) => resolve({ error, count, rows, outputs, sets, status }));
    let status;
    for (const [name, type, value, options = {}] of parameters) {
      if (options.output) request.addOutputParameter(name, type, value, options);
      else request.addParameter(name, type, value, options);
    }
    request.on('columnMetadata', (columns) => sets.push(columns.map((column) => column.colName)));
    request.on('row', (columns) => rows.push(columns.map((column) => column.value)));
    request.on('returnValue', (name, value) => { outputs[name] = value; });
    request.on('doneProc', (_count, _more, returned) => { status = returned; });
    connection[how](request);
  });
}
const one = async (connection, sql, parameters) => (await ask(connection, sql, parameters)).rows[0]?.[0];
const finished = (act) => new Promise((resolve) => act((error) => resolve(error)));
const refused = (connecting) => connecting.then((connection) => { connection.close(); }, (error) => error);

const checks = {
  async logins() {
    const ca = fs.readFileSync(SANDBOX_CA, 'utf8');
    for (const [name, options] of [
      ['plain', { encrypt: false }],
      ['full TLS, trusting', { encrypt: true, trustServerCertificate: true }],
      ['full TLS, by its authority', { encrypt: true, cryptoCredentialsDetails: { ca } }],
      ['TDS 8', { encrypt: 'strict', cryptoCredentialsDetails: { ca } }],
      ['packets of 512', { packetSize: 512 }],
      ['packets of 32767', { packetSize: 32767 }],
      ['TDS 7.2', { tdsVersion: '7_2' }],
      ['TDS 7.3', { tdsVersion: '7_3_B' }],
    ]) {
      const connection = await connect({ database: 'msdb', appName: 'drill', ...options });
      equal(name, (await ask(connection, 'SELECT @@SERVERNAME, DB_NAME(), APP_NAME()')).rows[0], [SANDBOX_NAME, 'msdb', 'drill']);
      equal(`${name}: told of its database and language`, connection.numbers.slice(0, 2), [5701, 5703]);
      equal(`${name}: a long answer`, (await one(connection, "SELECT REPLICATE(CAST(N'\u53f0' AS nvarchar(max)), 50000)")).length, 50000);
      connection.close();
    }
    equal('a wrong password', (await refused(connect({}, 'wrong'))).code, 'ELOGIN');
    equal('18456', (await refused(connect({}, 'wrong'))).numbers, [18456]);
    equal('4060, then 18456', (await refused(connect({ database: 'nowhere' }))).numbers, [4060, 18456]);
    equal('an unknown authority', (await refused(connect({ encrypt: true }))).code, 'ESOCKET');
  },

  async batches() {
    const connection = await connect();
    for (const how of ['execSql', 'execSqlBatch']) {
      const answer = await ask(connection, "SELECT 1 AS a, N'x' AS b; SELECT 2 AS c; SELECT 3 AS d WHERE 1 = 0", [], how);
      equal(`${how}: sets`, answer.sets, [['a', 'b'], ['c'], ['d']]);
      equal(`${how}: rows`, answer.rows, [[1, 'x'], [2]]);
      const many = await ask(connection, MANY_ROWS, [], how);
      equal(`${how}: many packets`, many.count, 10000);
      equal(`${how}: in order`, many.rows.every((row, n) => row[0] === n && row[1] === 'row \u00e9\u53f0'), true);
      connection.numbers.length = 0;
      await ask(connection, "PRINT N'hello'; RAISERROR(N'low', 10, 1); USE msdb; USE master", [], how);
      equal(`${how}: messages`, connection.numbers, [0, 50000, 5701, 5701]);
      equal(`${how}: 8134`, (await ask(connection, 'SELECT 1 / 0', [], how)).error.number, 8134);
      equal(`${how}: 208`, (await ask(connection, 'SELECT * FROM dbo.nothing', [], how)).error.number, 208);
    }
    connection.numbers.length = 0;
    await ask(connection, "RESTORE DATABASE x FROM DISK = 'C:\\nothing.bak'");
    equal('a whole chain', connection.numbers, [3201, 3013]);
    equal('the session goes on', await one(connection, 'SELECT 7'), 7);
    connection.close();
  },

  async parameters() {
    const connection = await connect();
    const at = new Date(Date.UTC(2026, 10, 20, 21, 4, 5, 123));
    const guid = '6F9619FF-8B86-D011-B42D-00C04FC964FF';
    for (const [type, value, options, wanted] of [
      [TYPES.Bit, true], [TYPES.TinyInt, 255], [TYPES.SmallInt, -300], [TYPES.Int, -70000], [TYPES.BigInt, '-9223372036854775808'],
      [TYPES.Decimal, -1.5, { precision: 9, scale: 2 }], [TYPES.Numeric, 12345, { precision: 25, scale: 0 }], [TYPES.Real, 1.5],
      [TYPES.Float, -0.1], [TYPES.Date, new Date(Date.UTC(2026, 10, 20))], [TYPES.SmallDateTime, new Date(Date.UTC(2026, 10, 20, 21, 4))],
      [TYPES.DateTime, at], [TYPES.DateTime2, at, { scale: 3 }], [TYPES.DateTimeOffset, at, { scale: 3 }],
      [TYPES.UniqueIdentifier, guid], [TYPES.Char, '\u00e9', { length: 3 }, '\u00e9  '], [TYPES.VarChar, '\u00e9\u20ac'],
      [TYPES.NChar, '\u53f0', { length: 3 }, '\u53f0  '], [TYPES.NVarChar, '\u53f0\u5317'], [TYPES.NVarChar, '\u53f0'.repeat(50000)],
      [TYPES.VarChar, '\u00e9'.repeat(50000)], [TYPES.Binary, Buffer.from([1, 2, 3]), { length: 3 }],
      [TYPES.VarBinary, Buffer.from([1, 2])], [TYPES.VarBinary, Buffer.alloc(100000, 7)], [TYPES.Text, 'long ago'],
      [TYPES.NText, 'long ago \u53f0'], [TYPES.Image, Buffer.from([9])], [TYPES.Money, -1.25], [TYPES.SmallMoney, 1.25],
    ]) {
      const got = await ask(connection, 'SELECT @p', [['p', type, value, options]]);
      let cell = got.rows[0]?.[0];
      if (cell instanceof Date) cell = new Date(cell.getTime());
      equal(`${type.name} ${String(value).slice(0, 20)}`, cell, wanted ?? value);
      const none = await ask(connection, 'SELECT @p', [['p', type, null, options]]);
      equal(`${type.name} NULL`, none.rows, [[null]]);
    }
    const called = await ask(connection, 'sp_executesql', [
      ['stmt', TYPES.NVarChar, 'SET @x = @x * 10'], ['params', TYPES.NVarChar, '@x int OUTPUT'], ['x', TYPES.Int, 4, { output: true }],
    ], 'callProcedure');
    equal('an output parameter', called.outputs, { x: 40 });
    equal('the return status', called.status, 0);
    equal('2812', (await ask(connection, 'dbo.nothing', [], 'callProcedure')).error.number, 2812);
    equal('a table-valued parameter', (await ask(connection, 'SELECT 1', [['t', TYPES.TVP, { columns: [{ name: 'a', type: TYPES.Int }], rows: [[1]] }]])).error.number, 59999);
    const load = await new Promise((resolve) => {
      const bulk = connection.newBulkLoad('#t', {}, (error) => resolve(error));
      bulk.addColumn('a', TYPES.Int, { nullable: true });
      connection.execBulkLoad(bulk, [{ a: 1 }]);
    });
    equal('bulk load', load.number, 59999);
    equal('the session goes on', await one(connection, 'SELECT 8'), 8);
    connection.close();
  },

  async prepared() {
    const connection = await connect();
    const rows = [];
    let next;
    const request = new Request('SELECT @a + 1', (error) => next(error));
    request.addParameter('a', TYPES.Int);
    request.on('row', (columns) => rows.push(columns[0].value));
    await new Promise((resolve) => { request.once('prepared', resolve); next = resolve; connection.prepare(request); });
    for (const a of [1, 5]) await new Promise((resolve) => { next = resolve; connection.execute(request, { a }); });
    const over = await new Promise((resolve) => { next = resolve; connection.unprepare(request); });
    equal('prepared, run twice, let go', [rows, over], [[2, 6], undefined]);
    connection.close();
  },

  async transactions() {
    const connection = await connect();
    await ask(connection, 'CREATE TABLE #t (a int)', [], 'execSqlBatch');
    equal('begin', await finished((done) => connection.beginTransaction(done, 'outer', ISOLATION_LEVEL.READ_COMMITTED)), undefined);
    await ask(connection, 'INSERT #t VALUES (1)', [], 'execSqlBatch');
    equal('one is open', await one(connection, 'SELECT @@TRANCOUNT'), 1);
    equal('commit', await finished((done) => connection.commitTransaction(done)), undefined);
    await finished((done) => connection.beginTransaction(done));
    await ask(connection, 'INSERT #t VALUES (2)', [], 'execSqlBatch');
    equal('rollback', await finished((done) => connection.rollbackTransaction(done)), undefined);
    equal('one row stays', await one(connection, 'SELECT COUNT(*) FROM #t'), 1);
    equal('none is open', await one(connection, 'SELECT @@TRANCOUNT'), 0);
    connection.close();
  },

  async cancel() {
    const connection = await connect();
    for (const sql of ["WAITFOR DELAY '00:00:30'", 'WHILE 1 = 1 SELECT 1', "WHILE 1 = 1 PRINT N'x'", MANY_ROWS]) {
      const began = Date.now();
      const error = await new Promise((resolve) => {
        const request = new Request(sql, resolve);
        connection.execSqlBatch(request);
        setTimeout(() => connection.cancel(), sql === MANY_ROWS ? 20 : 200);
      });
      equal(`cancelled: ${sql.slice(0, 30)}`, error?.code, 'ECANCEL');
      equal('in time', Date.now() - began < 5000, true);
      equal('the session goes on', await one(connection, 'SELECT 7'), 7);
    }
    const slow = await new Promise((resolve) => {
      const request = new Request("WAITFOR DELAY '00:00:30'", resolve);
      request.setTimeout(300);
      connection.execSql(request);
    });
    equal('a timeout', slow?.code, 'ETIMEOUT');
    equal('and on', await one(connection, 'SELECT 8'), 8);
    connection.close();
  },

  async reset() {
    const connection = await connect({ database: 'msdb' });
    await ask(connection, 'USE master; CREATE TABLE #kept (a int); BEGIN TRAN', [], 'execSqlBatch');
    equal('reset', await finished((done) => connection.reset(done)), undefined);
    equal('a fresh session', (await ask(connection, "SELECT DB_NAME(), @@TRANCOUNT, OBJECT_ID(N'tempdb..#kept')")).rows[0], ['msdb', 0, null]);
    connection.close();
  },

  async pool() {
    const pool = await new mssql.ConnectionPool({
      server: 'localhost', port: Number(SANDBOX_PORT), user: 'sa', password: SANDBOX_PASSWORD,
      options: { encrypt: true, trustServerCertificate: true }, pool: { max: 8 },
    }).connect();
    const asked = Array.from({ length: 40 }, (_, n) => pool.request().input('n', mssql.Int, n).query('SELECT @n AS n, @@SPID AS session'));
    const answers = await Promise.all(asked);
    equal('forty at once over eight', answers.map((answer) => answer.recordset[0].n), Array.from({ length: 40 }, (_, n) => n));
    equal('sessions', new Set(answers.map((answer) => answer.recordset[0].session)).size <= 8, true);
    const tagged = await pool.query`SELECT name FROM sys.databases WHERE name = ${'MSDB'}`;
    equal('a tagged template', tagged.recordset, [{ name: 'msdb' }]);
    const sets = await pool.request().query('SELECT 1 AS a; SELECT 2 AS b');
    equal('two sets', sets.recordsets.map((set) => [...set]), [[{ a: 1 }], [{ b: 2 }]]);
    const error = await pool.request().query("RESTORE DATABASE x FROM DISK = 'C:\\nothing.bak'").catch((thrown) => thrown);
    equal('a chain', [error.precedingErrors[0].number, error.number], [3201, 3013]);
    const transaction = pool.transaction();
    await transaction.begin();
    equal('in a transaction', (await transaction.request().query('SELECT @@TRANCOUNT AS n')).recordset[0].n, 1);
    await transaction.rollback();
    await pool.close();
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`  ran    ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`  FAILED ${name}: ${error.stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed || !passed ? 1 : 0);
})();
