// Random sets of ACLs with questions about them, as lines of text that Kafka's own authorizer, our two and the golden
// file understand: policy, acl, ask and any lines, fields apart by tabs; an answered question ends in 1 or 0.
import { type Acl, type AclPolicy, AclRules, type Subject } from '../ts/state/acl.js'
import { Random } from './sim/random.js'

const names = ['a', 'ab', 'abc', 'abd', 'b', 'ba', 'x-é-y', '*']
const principals = ['User:alice', 'User:bob', 'User:*', 'Group:alice', 'User:a:b']
const hosts = [
  '*',
  '10.0.0.1',
  '10.0.0.2',
  '0:0:0:0:0:0:0:1',
  '2001:db8:0:0:0:0:0:7',
  '::1',
  'not-an-address',
]
const peers = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '0:0:0:0:0:0:0:1', '2001:db8:0:0:0:0:0:7']
/** ALL to TWO_PHASE_COMMIT, the common ones more often. */
const operations = [2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 15]
/** Topics, groups and transactional ids. */
const types = [2, 2, 2, 3, 5]

export function randomQuestions(seed: number, sets: number): string {
  const random = new Random(seed)
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T
  const lines: string[] = []
  const say = (...fields: (string | number | boolean)[]) => lines.push(fields.join('\t'))
  for (let set = 0; set < sets; set += 1) {
    say('policy', random.below(2) === 0, random.below(3) === 0 ? 'User:bob;User:root' : '')
    for (let count = random.below(9); count > 0; count -= 1) {
      const permission = random.below(3) === 0 ? 2 : 3
      say(
        'acl',
        pick(types),
        pick(names),
        3 + random.below(2),
        pick(principals),
        pick(hosts),
        pick(operations),
        permission,
      )
    }
    for (let count = 0; count < 12; count += 1) {
      const asked = [
        pick(['User:alice', 'User:bob', 'User:a:b']),
        pick(peers),
        pick(operations.slice(1)),
        pick(types),
      ]
      say('ask', ...asked, pick(['a', 'ab', 'abc', 'abcd', 'b', 'c', 'x-é-y', 'x-é-yz', '*']))
    }
    for (let count = 0; count < 3; count += 1) {
      say('any', pick(['User:alice', 'User:bob']), pick(peers), pick([3, 4, 4, 8]), pick(types))
    }
  }
  return `${lines.join('\n')}\n`
}

/** The same lines with our answers in the place of any that are there. */
export function answered(questions: string): string {
  let policy: AclPolicy = { superUsers: new Set(), allowIfNoAcl: false }
  let acls: Acl[] = []
  const decide = ([kind, principal = '', host = '', operation, type, name = '']: string[]): boolean => {
    const subject: Subject = { principal, host }
    const rules = new AclRules(acls, policy)
    return kind === 'any'
      ? rules.decideAny(subject, Number(operation), Number(type))
      : rules.decide(subject, Number(operation), Number(type), name).allowed
  }
  const answer = (line: string): string => {
    const fields = line.split('\t')
    const [kind, first = '', second = '', third, fourth = '', fifth = '', sixth, seventh] = fields
    if (kind === 'policy') {
      acls = []
      policy = { allowIfNoAcl: first === 'true', superUsers: new Set(second.split(';')) }
    } else if (kind === 'acl') {
      acls.push({
        resourceType: Number(first),
        resourceName: second,
        patternType: Number(third),
        principal: fourth,
        host: fifth,
        operation: Number(sixth),
        permissionType: Number(seventh),
      })
    } else if (kind === 'ask' || kind === 'any') {
      const question = fields.slice(0, kind === 'ask' ? 6 : 5)
      return [...question, decide(question) ? 1 : 0].join('\t')
    }
    return line
  }
  return questions.split('\n').map(answer).join('\n')
}
