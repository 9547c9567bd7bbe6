/** The rows of the control plane, as features hand them around. Shared by both providers (ADR 0001). */
export type {
  EntitlementChangeModel as EntitlementChange,
  EntitlementModel as Entitlement,
  LineEventModel as LineEvent,
  OrderItemModel as OrderItem,
  OrderModel as Order,
  SimBatchModel as SimBatch,
  SimModel as Sim,
  SubscriptionModel as Subscription,
  TaskModel as Task,
  TrafficListAcknowledgementModel as TrafficListAcknowledgement,
  TrafficListReleaseModel as TrafficListRelease,
  TrafficListVersionModel as TrafficListVersion,
} from './generated/sqlite/models.js';
