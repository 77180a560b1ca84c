import Access

/// The users whose decisions changed between the last revisions of one epoch.
///
/// An epoch begins where the whole store is read. It also begins when a grant ends, because decisions
/// change then without a new revision.
struct SnapshotHistory: Sendable {
    /// The identity of an epoch.
    private final class Epoch: Sendable {}

    /// The step from one revision to a later one.
    private struct Step: Sendable {
        var from: Int64
        var to: Int64
        var affected: AffectedUsers
    }

    /// The most steps that are kept. A session that is more steps behind evaluates everything anew.
    private static let maximumSteps = 64

    private let epoch: Epoch
    private var steps: [Step]

    /// Begins an epoch.
    init() {
        self.epoch = Epoch()
        self.steps = []
    }

    /// Adds a step.
    mutating func append(from: Int64, to: Int64, affected: AffectedUsers) {
        if self.steps.count == Self.maximumSteps { self.steps.removeFirst() }
        self.steps.append(Step(from: from, to: to, affected: affected))
    }

    /// Whether a decision about a user may have changed since an earlier revision.
    /// - Returns: True also if that is not known.
    func mayAffect(_ user: UserID, since revision: Int64, of earlier: SnapshotHistory) -> Bool {
        guard self.epoch === earlier.epoch else { return true }
        if self.steps.last.map(\.to) ?? revision <= revision { return self.steps.isEmpty }
        guard let first = self.steps.first, first.from <= revision else { return true }
        return self.steps.contains { $0.to > revision && $0.affected.contains(user) }
    }
}
