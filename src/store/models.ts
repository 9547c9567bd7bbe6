/** The rows of the control plane, as features hand them around. Shared by both providers (ADR 0001). */
export type {
  LineEventModel as LineEvent,
  OrderItemModel as OrderItem,
  OrderModel as Order,
  SimBatchModel as SimBatch,
  SimModel as Sim,
  SubscriptionModel as Subscription,
  TaskModel as Task,
} from './generated/sqlite/models.js';
