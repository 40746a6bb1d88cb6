// kafkajs behind a login: every mechanism (by OAUTHBEARER the password is a token) produces and consumes, and a wrong password does not.
'use strict'

const { readFileSync } = require('node:fs')
const { Kafka, logLevel } = require('kafkajs')
const { version } = require('kafkajs/package.json')

const LIMIT = 60_000
const RECORDS = Array.from({ length: 20 }, (_, i) => `behind a login ${i}`)
const { BOOTSTRAP, SASL_USER: username, SASL_PASSWORD: password, TOPIC_PREFIX = '' } = process.env
const { SSL_CA, SSL_CERT, SSL_KEY } = process.env
const read = file => file && readFileSync(file)
const ssl = SSL_CA ? { ca: [read(SSL_CA)], cert: read(SSL_CERT), key: read(SSL_KEY) } : false

function fail(message) {
  console.error(message)
  process.exit(1)
}

const MECHANISMS = process.env.SASL_MECHANISMS.split(',').map(name => name.toLowerCase())

function client(mechanism, password) {
  const oauthBearerProvider = async () => ({ value: password })
  const sasl = mechanism === 'oauthbearer' ? { mechanism, oauthBearerProvider } : { mechanism, username, password }
  return new Kafka({ brokers: [BOOTSTRAP], logLevel: logLevel.NOTHING, retry: { retries: 0 }, ssl, sasl })
}

async function round(mechanism) {
  const kafka = client(mechanism, password)
  const topic = `${TOPIC_PREFIX}kafkajs-${mechanism}`
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: RECORDS.map(value => ({ value })) })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: topic, retry: { retries: 5 } })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const read = []
  await consumer.run({ eachMessage: async ({ message }) => void read.push(String(message.value)) })
  const end = Date.now() + LIMIT
  while (read.length < RECORDS.length) {
    if (Date.now() > end) fail(`waited too long for ${topic}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  await consumer.disconnect()
  if (read.join() !== RECORDS.join()) fail(`${topic}: ${read}`)
}

async function main() {
  for (const mechanism of MECHANISMS) await round(mechanism)
  // kafkajs takes the refusal of a token for a login, and finds its connection closed.
  const admin = client(MECHANISMS[0], 'wrong').admin()
  const refused = await admin.connect().then(() => admin.listTopics()).then(() => false, error => error)
  const told = MECHANISMS[0] === 'oauthbearer' ? /invalid_token|[Cc]losed connection/ : /invalid credentials/
  if (!refused || !told.test(refused.message)) fail(`a wrong password: ${refused && refused.message}`)
  console.log(JSON.stringify({ clients: `kafkajs ${version}` }))
  process.exit(0)
}

main().catch(error => fail(error.stack))
