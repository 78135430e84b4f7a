package v1alpha1

// ReasonNotificationDead is the reason of the event that a message to a channel was given up. It can be replayed.
const ReasonNotificationDead = "NotificationDead"
