import Access
import Testing

@testable import Session

/// A table of a few accounts behaves like a dictionary.
@Suite struct AccountTableTests {
    @Test func `a table holds what a dictionary holds`() {
        var random = SystemRandomNumberGenerator()
        var table: AccountTable<Int> = [:]
        var dictionary: [AccountID: Int] = [:]
        for step in 0..<5_000 {
            let account = AccountID(Int64.random(in: 0..<20, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                table[account] = step
                dictionary[account] = step
            case 2:
                let removed = table.removeValue(forKey: account)
                let expected = dictionary.removeValue(forKey: account)
                #expect(removed == expected)
            default:
                table[account] = nil
                dictionary[account] = nil
            }
            #expect(table[account] == dictionary[account])
            #expect(table.isEmpty == dictionary.isEmpty)
            #expect(Set(table.keys) == Set(dictionary.keys))
        }
        for (account, value) in table { #expect(dictionary[account] == value) }
        #expect(table.values.count == dictionary.count)
    }

    @Test func `a literal with an account twice has its later value`() {
        let table: AccountTable<String> = [AccountID(1): "a", AccountID(2): "b", AccountID(1): "c"]
        #expect(table[AccountID(1)] == "c")
        #expect(table[AccountID(2)] == "b")
        #expect(table.keys.count == 2)
    }
}
