/// The tables of a store.
enum StoreTables {
    /// The tables that are copied, each after those that it refers to.
    static let copied = [
        "revisionToken", "setting", "user", "group", "member", "account", "address", "grant",
        "withdrawal", "wall", "subscription", "stage", "audit", "auditSeal", "transfer",
        "transferCopy", "copyLeft", "notice", "appPassword", "appPasswordUse", "directoryGroup",
        "directoryUnknown", "nameVersion", "revision",
    ]
}
