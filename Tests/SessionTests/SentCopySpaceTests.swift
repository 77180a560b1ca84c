import Access
import Session
import Testing

/// The disk quota for copies that wait for their Sent folders.
@Suite struct SentCopySpaceTests {
    private static let limits = SentCopySpace.Limits(
        copiesPerAccount: 2,
        octetsPerAccount: 100,
        copies: 3,
        octets: 150
    )

    @Test func `the number of copies is limited per account and in total`() {
        let space = SentCopySpace(limits: Self.limits)
        #expect(space.begin([1]) && space.begin([1]))
        #expect(!space.begin([1]))
        // All accounts or none.
        #expect(!space.begin([2, 1]))
        #expect(space.begin([2]))
        #expect(!space.begin([2]))
        space.end(1, octets: 0)
        #expect(space.begin([2]))
    }

    @Test func `octets are limited per account and in total until a copy is filed`() {
        let space = SentCopySpace(limits: Self.limits)
        #expect(space.begin([1]) && space.begin([2]))
        #expect(space.extend([1], by: 100))
        #expect(!space.extend([1], by: 1))
        #expect(!space.extend([2], by: 51))
        #expect(space.extend([2], by: 50))
        // An account at its limit gets no further copy.
        #expect(!space.begin([1]))
        space.end(1, octets: 100)
        #expect(space.begin([1]) && space.extend([1], by: 100))
    }

    @Test func `copies of an earlier run count, and a surplus end releases no other space`() {
        let space = SentCopySpace(limits: Self.limits)
        space.found(1, octets: 500)
        #expect(!space.begin([1]) && !space.begin([2]))
        space.end(1, octets: 500)
        space.end(1, octets: 500)
        #expect(space.begin([1]) && space.begin([2]) && space.extend([1, 2], by: 75))
        #expect(!space.extend([1, 2], by: 1))
    }
}
