/** Mail to a real SMTP server on the loopback, which answers as a test says. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type EmailSettings, email } from '../../../../server/alerts/channels/email.js';
import { openAuthority, serverCertificate } from '../../tls/authority.js';
import { messageOf } from './message.js';

interface Mail {
  readonly recipients: string[];
  readonly text: string;
}

interface Context {
  mails: Mail[];
  servers: { close(done: () => void): void }[];
}

const test = suite<Context>('e-mail');

test.before.each((context) => {
  Object.assign(context, { mails: [], servers: [] });
});
test.after.each(async ({ servers }) => {
  for (const server of servers) await new Promise<void>((done) => server.close(done));
});

/** Starts a mail server. @returns its port */
async function startSmtp(context: Context, options: SMTPServerOptions = {}): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onData(stream, session, done) {
      text(stream).then((mail) => {
        context.mails.push({ recipients: session.envelope.rcptTo.map(({ address }) => address), text: mail });
        done();
      }, done);
    },
    ...options,
  });
  server.on('error', () => undefined);
  context.servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return (server.server.address() as AddressInfo).port;
}

const settingsFor = (port: number, changes: Partial<EmailSettings> = {}): EmailSettings => ({
  host: 'localhost',
  port,
  security: 'none',
  from: 'alarm@house.example',
  to: ['anna@house.example'],
  ...changes,
});

const sendAll = async (settings: EmailSettings, message = messageOf(), ca?: string, ms?: number) => {
  const channel = email(settings, ca, ms);
  return Promise.all(channel.targets(message).map((target) => channel.send(message, target)));
};

test('each recipient gets a mail of its own, with the same text', async (context) => {
  const port = await startSmtp(context);
  const to = ['anna@house.example', 'ben@house.example'];
  assert.equal(await sendAll(settingsFor(port, { to })), [{ kind: 'delivered' }, { kind: 'delivered' }]);
  assert.equal(context.mails.map(({ recipients }) => recipients.join()).sort(), to);
  const [mail] = context.mails;
  assert.match(mail?.text ?? '', /^Subject: Alarm: Cabin, window\r$/m);
  assert.match(mail?.text ?? '', /It is so\./);
  assert.match(mail?.text ?? '', /^Message-ID: <alert-1\.0\.hook\.itself@alarm-twin\.invalid>\r$/m);
});

test('a recipient that is refused for now is tried again, one that is refused for good is not', async (context) => {
  const port = await startSmtp(context, {
    onRcptTo({ address }, _, done) {
      const code = { 'later@house.example': 451, 'never@house.example': 550 }[address];
      done(code === undefined ? null : Object.assign(new Error('refused'), { responseCode: code }));
    },
  });
  const to = ['anna@house.example', 'later@house.example', 'never@house.example'];
  const attempts = await sendAll(settingsFor(port, { to }));
  assert.equal(
    attempts.map(({ kind }) => kind),
    ['delivered', 'again', 'failed'],
  );
  assert.equal(
    context.mails.map(({ recipients }) => recipients),
    [['anna@house.example']],
  );
});

// Case 7.
test('a mail that is refused for now arrives once, with the same Message-ID on each attempt', async (context) => {
  const asked: string[] = [];
  const port = await startSmtp(context, {
    onRcptTo({ address }, _, done) {
      asked.push(address);
      done(asked.length > 1 ? null : Object.assign(new Error('greylisted'), { responseCode: 451 }));
    },
  });
  const kinds = [await sendAll(settingsFor(port)), await sendAll(settingsFor(port))].map(
    ([each]) => each?.kind,
  );
  assert.equal(kinds, ['again', 'delivered']);
  assert.is(context.mails.length, 1);
  assert.match(
    context.mails[0]?.text ?? '',
    /^Message-ID: <alert-1\.0\.hook\.itself@alarm-twin\.invalid>\r$/m,
  );
});

// Case 8.
test('each mail has a connection of its own, so that none is lost on one that the server has dropped', async (context) => {
  let connections = 0;
  const port = await startSmtp(context, {
    onConnect(_, done) {
      connections++;
      done();
    },
  });
  for (const id of ['first', 'second']) await sendAll(settingsFor(port), messageOf({ id }));
  assert.equal([connections, context.mails.length], [2, 2]);
});

// Case 8.
test('a certificate for STARTTLS that is not good ends the connection before AUTH and MAIL', async (context) => {
  const authority = await openAuthority();
  const { certificate: cert, key } = await serverCertificate(authority);
  const commands: string[] = [];
  const port = await startSmtp(context, {
    disabledCommands: [],
    key,
    cert,
    onAuth(_, __, done) {
      commands.push('AUTH');
      done(null, { user: 'u' });
    },
    onMailFrom(_, __, done) {
      commands.push('MAIL');
      done();
    },
  });
  const settings = settingsFor(port, { security: 'starttls', user: 'u', password: 'p' });
  const [attempt] = await sendAll(settings);
  assert.is(attempt?.kind, 'failed');
  assert.equal(commands, []);
  assert.equal(await sendAll(settings, messageOf(), authority.certificate), [{ kind: 'delivered' }]);
  assert.equal(commands, ['AUTH', 'MAIL']);
});

test('names from the panel can add neither a header nor a recipient, and are text in HTML', async (context) => {
  const port = await startSmtp(context);
  const title = 'x\r\nBcc: evil@elsewhere.example\r\n\r\n<img src=//elsewhere.example/a>';
  await sendAll(settingsFor(port), messageOf({ title }));
  const mail = context.mails[0]?.text ?? '';
  assert.equal(
    context.mails.map(({ recipients }) => recipients),
    [['anna@house.example']],
  );
  const head = mail.slice(0, mail.indexOf('\r\n\r\n'));
  assert.is(head.match(/^Subject:/gim)?.length, 1);
  assert.not.match(head, /^Bcc:/im);
  assert.match(mail, '&lt;img src=');
});

test('when TLS is asked for, nothing is said to a server that has none', async (context) => {
  const commands: string[] = [];
  const server: Server = createServer((socket) => {
    socket.write('220 mail ESMTP\r\n');
    socket.on('data', (chunk) => {
      commands.push(String(chunk));
      socket.write(/^EHLO/i.test(String(chunk)) ? '250 mail\r\n' : '502 no\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.servers.push(server);
  const port = (server.address() as AddressInfo).port;
  const settings = settingsFor(port, { security: 'starttls', user: 'u', password: 'p' });
  const [attempt] = await sendAll(settings);
  assert.is(attempt?.kind, 'failed');
  assert.not.ok(commands.some((command) => /^(AUTH|MAIL)/i.test(command)));
});

test('a certificate that is not good ends the connection before anything is said', async (context) => {
  const authority = await openAuthority();
  const { certificate: cert, key } = await serverCertificate(authority);
  const ca = authority.certificate;
  const port = await startSmtp(context, { secure: true, key, cert });
  const settings = settingsFor(port, { security: 'tls' });
  assert.is((await sendAll(settings))[0]?.kind, 'failed');
  assert.is(context.mails.length, 0);
  assert.equal(await sendAll(settings, messageOf(), ca), [{ kind: 'delivered' }]);
});

test('a wrong password is not tried again', async (context) => {
  const port = await startSmtp(context, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (_, __, done) => done(Object.assign(new Error('wrong'), { responseCode: 535 })),
  });
  const [attempt] = await sendAll(settingsFor(port, { user: 'u', password: 'wrong' }));
  assert.is(attempt?.kind, 'failed');
});

test('a server that says a byte now and then is left at the total limit', async (context) => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    const timer = setInterval(() => socket.write('2'), 10);
    socket.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.servers.push(server);
  const [attempt] = await sendAll(
    settingsFor((server.address() as AddressInfo).port),
    messageOf(),
    undefined,
    100,
  );
  assert.equal(attempt, { kind: 'again', reason: 'not delivered within 0.1 s' });
  // Its end may come as a reset.
  for (const socket of sockets)
    if (!socket.closed) await new Promise<void>((done) => socket.once('close', () => done()));
});

test('a recipient that was removed meanwhile gets nothing', async () => {
  const attempt = await email(settingsFor(1)).send(messageOf(), 'someone-else');
  assert.equal(attempt, { kind: 'failed', reason: 'the recipient was removed' });
});

test.run();
