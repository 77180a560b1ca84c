import Access
import Session
import Testing

/// The disk space of copies that wait for their Sent folders.
@Suite struct SentCopySpaceTests {
    private static let limits = SentCopySpace.Limits(
        copiesPerAccount: 2,
        octetsPerAccount: 100,
        copies: 3,
        octets: 150
    )

    @Test func `an account takes so many copies, and all together take so many`() {
        let space = SentCopySpace(limits: Self.limits)
        #expect(space.begin([1]) && space.begin([1]))
        #expect(!space.begin([1]))
        // Both or neither.
        #expect(!space.begin([2, 1]))
        #expect(space.begin([2]))
        #expect(!space.begin([2]))
        space.end(1, octets: 0)
        #expect(space.begin([2]))
    }

    @Test func `octets count for an account and in total, until a copy is filed`() {
        let space = SentCopySpace(limits: Self.limits)
        #expect(space.begin([1]) && space.begin([2]))
        #expect(space.extend([1], by: 100))
        #expect(!space.extend([1], by: 1))
        #expect(!space.extend([2], by: 51))
        #expect(space.extend([2], by: 50))
        // A full account begins no other.
        #expect(!space.begin([1]))
        space.end(1, octets: 100)
        #expect(space.begin([1]) && space.extend([1], by: 100))
    }

    @Test func `what an earlier run left counts, and an end too many takes nothing from others`() {
        let space = SentCopySpace(limits: Self.limits)
        space.found(1, octets: 500)
        #expect(!space.begin([1]) && !space.begin([2]))
        space.end(1, octets: 500)
        space.end(1, octets: 500)
        #expect(space.begin([1]) && space.begin([2]) && space.extend([1, 2], by: 75))
        #expect(!space.extend([1, 2], by: 1))
    }
}
