import Access
import NIOCore
import Session
import Store

/// Requests of the session that background threads answer.
extension IMAPClientHandler {
    /// Loads the user's subscriptions from the store.
    func loadSubscriptions(_ user: UserID) {
        let answer = self.delivering { $0.subscriptionsLoaded($1) }
        self.gateway.subscriptions.load(user, on: self.eventLoop, answer: answer)
    }

    /// Changes a subscription in the store.
    func changeSubscription(_ change: SubscriptionChange) {
        self.gateway.subscriptions.change(
            change,
            on: self.eventLoop,
            answer: self.delivering { $0.subscriptionChanged($1) }
        )
    }

    /// Changes a grant in the store (RFC 4314 §3.1, §3.2). The change is in force before the client
    /// receives the response.
    func changeACL(_ change: ACLChange) {
        let answer = self.delivering { $0.aclChanged($1) }
        self.gateway.aclWriter.change(change, from: self.address, on: self.eventLoop) { answer($0) }
    }

    /// Reads or writes the journal of transfers.
    func journal(_ request: JournalRequest) {
        let answer = self.delivering { $0.journalAnswered($1) }
        self.gateway.transfers.perform(request, on: self.eventLoop, answer: answer)
    }
}
