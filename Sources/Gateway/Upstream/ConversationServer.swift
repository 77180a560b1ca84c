import Store

/// The account whose server a conversation uses, and the shared services.
struct ConversationServer {
    let account: UpstreamAccount
    /// Routes, caches and logs that all connections share.
    let upstream: UpstreamServices
}
