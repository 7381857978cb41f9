/** The broker keys that say who may do what, with Kafka's names; broker-keys.ts has all others. */
import { bool, type ConfigKey, ConfigType, text } from './key.js'

/** The only authorizer there is. */
export const STANDARD_AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

/** `User:a;User:b` */
const superUsers: ConfigKey<readonly string[]> = {
  type: ConfigType.STRING,
  defaultText: '',
  doc: 'Principals who may do everything, separated by semicolons, as in User:admin;User:ops.',
  updateMode: 'read-only',
  sensitive: false,
  honoured: true,
  parse(raw) {
    const value = raw
      .split(';')
      .map((principal) => principal.trim())
      .filter((principal) => principal !== '')
    const wrong = value.find((principal) => !principal.includes(':'))
    return wrong === undefined
      ? { value }
      : { reason: `expected principals in the form of type:name, as in User:admin, but got ${wrong}` }
  },
}

export const securityKeys = {
  'authorizer.class.name': {
    ...text({
      default: '',
      doc: `Empty: everybody may do everything. ${STANDARD_AUTHORIZER}: what the ACLs of the cluster say.`,
    }),
    parse(raw: string) {
      const value = raw.trim()
      return value === '' || value === STANDARD_AUTHORIZER
        ? { value }
        : { reason: `there is no authorizer but ${STANDARD_AUTHORIZER}` }
    },
  },
  'super.users': superUsers,
  'allow.everyone.if.no.acl.found': bool({
    default: false,
    doc: 'Whether everybody may use a resource that no ACL is about; else super users alone.',
  }),
} satisfies Record<string, ConfigKey<unknown>>
