/// The grants on one account, by subject.
struct GrantList: Sendable {
    private enum Storage {
        /// In the order of creation: a scan of few grants is as fast as an index.
        case few([Grant])
        /// By subject, each in the order of creation.
        case many(PersistentTable<Subject, [Grant]>)
    }

    /// The number of grants from which on the list has an index.
    private static let worthwhileGrants = 32

    private var storage: Storage
    private(set) var count: Int

    init() {
        self.storage = .few([])
        self.count = 0
    }

    /// - Parameter grants: grants with different keys, in any order.
    init(_ grants: [Grant]) {
        let sorted = grants.sorted { $0.id < $1.id }
        self.count = sorted.count
        guard sorted.count >= Self.worthwhileGrants else {
            self.storage = .few(sorted)
            return
        }
        self.storage = .many(Self.index(sorted))
    }

    private static func index(_ grants: [Grant]) -> PersistentTable<Subject, [Grant]> {
        var bySubject: [Subject: [Grant]] = [:]
        for grant in grants { bySubject[grant.subject, default: []].append(grant) }
        return PersistentTable(bySubject.map { ($0.key, $0.value) })
    }

    /// Every grant, in the order of creation.
    var all: [Grant] {
        switch self.storage {
        case .few(let grants): grants
        case .many(let bySubject): bySubject.values.joined().sorted { $0.id < $1.id }
        }
    }

    /// The grants of any of the subjects, in the order of creation.
    func grants(of subjects: [Subject: [GroupID]]) -> [Grant] {
        switch self.storage {
        case .few(let grants): grants.filter { subjects[$0.subject] != nil }
        case .many(let bySubject):
            subjects.keys.flatMap { bySubject[$0] ?? [] }.sorted { $0.id < $1.id }
        }
    }

    /// Whether any grant names a subject.
    func names(_ subject: Subject) -> Bool {
        switch self.storage {
        case .few(let grants): grants.contains { $0.subject == subject }
        case .many(let bySubject): bySubject[subject] != nil
        }
    }

    /// The grant with a key.
    func grant(_ id: Int64) -> Grant? {
        switch self.storage {
        case .few(let grants): grants.first { $0.id == id }
        case .many(let bySubject): bySubject.values.joined().first { $0.id == id }
        }
    }

    /// Removes the grant with a key, if there is one.
    /// - Returns: the removed grant.
    @discardableResult
    mutating func remove(_ id: Int64) -> Grant? {
        guard let grant = self.grant(id) else { return nil }
        self.count -= 1
        switch self.storage {
        case .few(let grants): self.storage = .few(grants.filter { $0.id != id })
        case .many(var bySubject):
            self.storage = .few([])
            let rest = (bySubject[grant.subject] ?? []).filter { $0.id != id }
            bySubject[grant.subject] = rest.isEmpty ? nil : rest
            self.storage = .many(bySubject)
        }
        return grant
    }

    /// Adds a grant whose key the list does not have.
    mutating func insert(_ grant: Grant) {
        self.count += 1
        switch self.storage {
        case .few(var grants):
            self.storage = .few([])
            grants.append(grant)
            grants.sort { $0.id < $1.id }
            self.storage =
                grants.count < Self.worthwhileGrants ? .few(grants) : .many(Self.index(grants))
        case .many(var bySubject):
            self.storage = .few([])
            bySubject[grant.subject, default: []].append(grant)
            bySubject[grant.subject, default: []].sort { $0.id < $1.id }
            self.storage = .many(bySubject)
        }
    }
}
