// Denials of groups and their offsets.
import {
  deleteGroups,
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from '../../../ts/protocol/index.js'
import { always, CLUSTER, commit, type Denial, GROUP_DENIED, partition, TOPIC_DENIED } from './denial.js'

export const groupDenials: readonly Denial[] = [
  {
    what: 'OffsetCommit to a group',
    has: ['READ TOPIC t'],
    ask: (c) => c.request(offsetCommit, 8, commit),
    denied: always({ topics: [partition(GROUP_DENIED)] }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'OffsetCommit of a topic',
    has: ['READ GROUP g'],
    ask: (c) => c.request(offsetCommit, 8, commit),
    denied: always({ topics: [partition(TOPIC_DENIED)] }),
    needs: [['READ TOPIC t']],
  },
  {
    what: 'OffsetFetch of a group',
    has: ['DESCRIBE TOPIC t'],
    ask: (c) => {
      const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
      return c.request(offsetFetch, 8, { groups })
    },
    denied: always({ groups: [{ groupId: 'g', errorCode: GROUP_DENIED, topics: [] }] }),
    needs: [['DESCRIBE GROUP g'], ['READ GROUP g']],
  },
  {
    what: 'OffsetFetch of a group before version 8',
    ask: (c) => c.request(offsetFetch, 7, { groupId: 'g', topics: [] }),
    denied: always({ errorCode: GROUP_DENIED, topics: [] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'OffsetFetch of a topic',
    has: ['DESCRIBE GROUP g'],
    ask: (c) => {
      const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
      return c.request(offsetFetch, 8, { groups })
    },
    denied: always({
      groups: [
        { errorCode: 0, topics: [{ partitions: [{ errorCode: TOPIC_DENIED, committedOffset: -1 }] }] },
      ],
    }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'OffsetFetch of all topics',
    has: ['DESCRIBE GROUP g'],
    ask: (c) => c.request(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] }),
    denied: always({ groups: [{ errorCode: 0, topics: [] }] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'FindCoordinator',
    ask: (c) => c.request(findCoordinator, 4, { coordinatorKeys: ['g'] }),
    denied: always({ coordinators: [{ key: 'g', errorCode: GROUP_DENIED, nodeId: -1 }] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'JoinGroup',
    ask: (c) => {
      const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
      const body = {
        groupId: 'g',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols,
      }
      return c.request(joinGroup, 5, { ...body, rebalanceTimeoutMs: 10_000 })
    },
    denied: always({ errorCode: GROUP_DENIED, memberId: '' }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'SyncGroup',
    ask: (c) => c.request(syncGroup, 3, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'Heartbeat',
    ask: (c) => c.request(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'LeaveGroup',
    ask: (c) => c.request(leaveGroup, 4, { groupId: 'g', members: [{ memberId: 'm' }] }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'DescribeGroups',
    ask: (c) => c.request(describeGroups, 5, { groups: ['g'] }),
    denied: always({ groups: [{ groupId: 'g', errorCode: GROUP_DENIED, members: [] }] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'ListGroups',
    ask: (c) => c.request(listGroups, 4, { statesFilter: [] }),
    denied: always({ errorCode: 0, groups: [] }),
    needs: [['DESCRIBE GROUP g'], [`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'OffsetDelete of a group',
    ask: (c) => {
      const topics = [{ name: 'nothing', partitions: [{ partitionIndex: 0 }] }]
      return c.request(offsetDelete, 0, { groupId: 'g', topics })
    },
    denied: always({ errorCode: GROUP_DENIED, topics: [] }),
    needs: [['DELETE GROUP g']],
  },
  {
    what: 'OffsetDelete of a topic',
    has: ['DELETE GROUP g'],
    ask: (c) => {
      const topics = [{ name: 'nothing', partitions: [{ partitionIndex: 0 }] }]
      return c.request(offsetDelete, 0, { groupId: 'g', topics })
    },
    denied: always({ errorCode: 0, topics: [partition(TOPIC_DENIED)] }),
    needs: [['READ TOPIC nothing']],
  },
  {
    what: 'DeleteGroups',
    ask: (c) => c.request(deleteGroups, 2, { groupsNames: ['passing'] }),
    denied: always({ results: [{ groupId: 'passing', errorCode: GROUP_DENIED }] }),
    needs: [['DELETE GROUP passing']],
  },
]
