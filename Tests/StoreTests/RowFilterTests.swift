import Access
import GRDB
import Testing

@testable import Store

/// Conditions on a table of rules.
@Suite struct RowFilterTests {
    /// A table with a row for each subject on two accounts, numbered in this order.
    private static func database() throws -> DatabaseQueue {
        let queue = try DatabaseQueue()
        try queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE rule (id INTEGER PRIMARY KEY, account, user, "group", folder, subtree,
                        source);
                    INSERT INTO rule (account, user, "group", folder, subtree, source) VALUES
                        (1, 7, NULL, NULL, 0, 'local'), (1, NULL, 7, NULL, 0, 'local'),
                        (1, NULL, NULL, NULL, 0, 'exchange'), (2, 7, NULL, x'41', 0, 'local'),
                        (2, 7, NULL, x'41', 1, 'local'), (2, 8, NULL, x'61', 0, 'local'),
                        (2, 7, NULL, x'41', 0, 'exchange');
                    """
            )
        }
        return queue
    }

    private static let folder = FolderPath(octets: [0x41]).map { Scope.folder($0) }

    private static let subtree = FolderPath(octets: [0x41]).map { Scope.subtree($0) }

    private static let user = Subject.user(UserID(7))

    /// Filters, and the numbers of the matching rows.
    private static let filters: [(RowFilter, [Int64])] = [
        (.all, [1, 2, 3, 4, 5, 6, 7]), (RowFilter("account = 2"), [4, 5, 6, 7]),
        (RowFilter("account", in: [1]), [1, 2, 3]), (RowFilter("account", in: []), []),
        (RowFilter("account", in: [1, 2, 99]), [1, 2, 3, 4, 5, 6, 7]),
        (RowFilter(naming: [user]), [1, 4, 5, 7]), (RowFilter(naming: [.group(GroupID(7))]), [2]),
        (RowFilter(naming: [.everyone]), [3]), (RowFilter(naming: []), []),
        (RowFilter(naming: [user, .everyone]), [1, 3, 4, 5, 7]),
        (RowFilter("account", in: [2]).and(RowFilter(naming: [user])), [4, 5, 7]),
        (RowFilter("account", in: [1]).and("user = ?", arguments: [7]), [1]),
        (RowFilter(account: 1, subject: user), [1]),
        (RowFilter(account: 1, subject: .group(GroupID(7))), [2]),
        (RowFilter(account: 1, subject: .user(UserID(8))), []),
        (RowFilter(account: 2, subject: user, scope: folder ?? .account), [4]),
        (RowFilter(account: 2, subject: user, scope: subtree ?? .account), [5]),
        (RowFilter(account: 2, subject: user, scope: .account), []),
        (RowFilter(account: 1, subject: user, scope: .account), [1]),
    ]

    @Test func `a filter matches exactly its rows`() throws {
        let queue = try Self.database()
        for (index, (filter, expected)) in Self.filters.enumerated() {
            let found = try queue.read { database in
                try filter.rows(
                    StoreTransaction(database),
                    of: "SELECT id FROM rule",
                    order: "ORDER BY id"
                )
                .map { $0["id"] as Int64 }
            }
            #expect(found == expected, "filter \(index): \(filter.clause)")
        }
    }

    @Test func `a filter passes any number of values as one argument`() throws {
        let queue = try Self.database()
        let filter = RowFilter("account", in: (1...200_000).map { Int64($0) })
        let count = try queue.read {
            try filter.rows(StoreTransaction($0), of: "SELECT id FROM rule").count
        }
        #expect(count == 7)
    }

    @Test func `a subject has one key, and everyone has none`() {
        #expect(Self.user.userKey == 7 && Self.user.groupKey == nil)
        let group = Subject.group(GroupID(9))
        #expect(group.userKey == nil && group.groupKey == 9)
        #expect(Subject.everyone.userKey == nil && Subject.everyone.groupKey == nil)
    }
}
