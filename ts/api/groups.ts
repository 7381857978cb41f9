/**
 * JoinGroup (11) v0–9, Heartbeat (12) v0–4, LeaveGroup (13) v0–5, SyncGroup (14) v0–5: the classic group protocol.
 * Each asks for READ on the group and hands over to the group's shard, which answers now or when a rebalance ends.
 */
import { Errors, heartbeat, joinGroup, leaveGroup, syncGroup } from '../protocol/index.js'
import type {
  GroupReply,
  JoinGroupResponse,
  LeaveGroupResponse,
  SyncGroupResponse,
} from '../state/group-messages.js'
import type { Asker } from './authorize.js'
import type { GroupBroker } from './broker-view.js'
import { type Handler, serve } from './handler.js'
import { inetAddress } from './inet-address.js'

export const groupHandlers: readonly Handler<GroupBroker>[] = [
  serve(joinGroup, (call, body, broker: GroupBroker) => {
    const apiVersion = call.version
    const answer = (reply: GroupReply) => call.reply(reply as JoinGroupResponse)
    const request = {
      kind: 'join-group',
      apiVersion,
      clientId: call.clientId,
      clientHost: inetAddress(call.peer),
      freshUuid: broker.freshUuid(),
      body: {
        ...body,
        rebalanceTimeoutMs: apiVersion === 0 ? body.sessionTimeoutMs : body.rebalanceTimeoutMs,
      },
    } as const
    if (mayRead(call, body.groupId, broker)) broker.groups.submit(request, answer)
    else answer(broker.groups.refusal(request, Errors.GROUP_AUTHORIZATION_FAILED))
  }),

  serve(syncGroup, (call, body, broker: GroupBroker) => {
    const answer = (reply: GroupReply) => call.reply(reply as SyncGroupResponse)
    const request = { kind: 'sync-group', apiVersion: call.version, body } as const
    if (mayRead(call, body.groupId, broker)) broker.groups.submit(request, answer)
    else answer(broker.groups.refusal(request, Errors.GROUP_AUTHORIZATION_FAILED))
  }),

  serve(heartbeat, (call, body, broker: GroupBroker) => {
    const answer = (reply: GroupReply) => call.reply(reply as { errorCode: number })
    const request = { kind: 'heartbeat', apiVersion: call.version, body } as const
    if (mayRead(call, body.groupId, broker)) broker.groups.submit(request, answer)
    else answer(broker.groups.refusal(request, Errors.GROUP_AUTHORIZATION_FAILED))
  }),

  serve(leaveGroup, (call, body, broker: GroupBroker) => {
    const answer = (reply: GroupReply) => call.reply(reply as LeaveGroupResponse)
    const request = { kind: 'leave-group', apiVersion: call.version, body } as const
    if (mayRead(call, body.groupId, broker)) broker.groups.submit(request, answer)
    else answer(broker.groups.refusal(request, Errors.GROUP_AUTHORIZATION_FAILED))
  }),
]

function mayRead(call: Asker, groupId: string, broker: GroupBroker): boolean {
  return broker.authorizer.allows(call, 'READ', 'GROUP', groupId)
}
