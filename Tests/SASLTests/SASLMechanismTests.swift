import SASL
import Testing

@Suite struct SASLMechanismTests {
    @Test(arguments: [
        ("PLAIN", SASLMechanism.plain), ("plain", .plain), ("pLaIn", .plain), ("LOGIN", .login),
        ("login", .login), ("XOAUTH2", .xoauth2), ("xoauth2", .xoauth2),
    ])
    func `a mechanism's name is accepted in any case`(name: String, mechanism: SASLMechanism) {
        #expect(SASLMechanism(name: name.utf8) == mechanism)
    }

    @Test(arguments: [
        "", "PLAI", "PLAINS", "PLAIN ", " PLAIN", "PLAIN\0", "CRAM-MD5", "EXTERNAL", "XOAUTH",
        // U+0131 and U+017F are I and S in upper case.
        "pla\u{131}n", "PLA\u{130}N", "log\u{131}n", "PLAIN\u{301}",
    ])
    func `an unknown name is refused`(name: String) {
        #expect(SASLMechanism(name: name.utf8) == nil)
    }

    @Test(arguments: SASLMechanism.allCases)
    func `a mechanism is printed as its registered name`(mechanism: SASLMechanism) {
        #expect("\(mechanism)" == mechanism.rawValue)
        #expect(SASLMechanism(name: mechanism.rawValue.utf8) == mechanism)
    }
}
