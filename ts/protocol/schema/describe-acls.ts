/**
 * DescribeAcls (key 29): the ACLs that match a filter, grouped by resource pattern.
 * Resource types: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user. Pattern types: 1 any,
 * 2 match, 3 literal, 4 prefixed. Permissions: 1 any, 2 deny, 3 allow. Operations start with 1 any, 2 all, 3 read, 4 write.
 * v1 pattern types, before which all were literal (KIP-290) · v2 flexible · v3 resources of type user.
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const describeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: [0, 3],
  flexible: 2,
  request: {
    resourceTypeFilter: int8(),
    resourceNameFilter: string({ nullable: true }),
    patternTypeFilter: int8({ since: 1, default: 3 }),
    principalFilter: string({ nullable: true }),
    hostFilter: string({ nullable: true }),
    operation: int8(),
    permissionType: int8(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ since: 1, default: 3 }),
      acls: array({ principal: string(), host: string(), operation: int8(), permissionType: int8() }),
    }),
  },
})
