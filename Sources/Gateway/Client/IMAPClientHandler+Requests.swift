import Access
import NIOCore
import Session
import Store

/// What a session asks for and is answered later, from outside the loop.
extension IMAPClientHandler {
    func loadSubscriptions(_ user: UserID) {
        let answer = self.delivering { $0.subscriptionsLoaded($1) }
        self.gateway.subscriptions.load(user, on: self.eventLoop, answer: answer)
    }

    func changeSubscription(_ change: SubscriptionChange) {
        self.gateway.subscriptions.change(
            change,
            on: self.eventLoop,
            answer: self.delivering { $0.subscriptionChanged($1) }
        )
    }

    /// What it changed is in force before the client hears of it.
    func changeACL(_ change: ACLChange) {
        let answer = self.delivering { $0.aclChanged($1) }
        self.gateway.aclWriter.change(change, from: self.address, on: self.eventLoop) { answer($0) }
    }

    func journal(_ request: JournalRequest) {
        let answer = self.delivering { $0.journalAnswered($1) }
        self.gateway.transfers.perform(request, on: self.eventLoop, answer: answer)
    }
}
