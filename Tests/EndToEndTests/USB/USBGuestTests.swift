import Testing

/// `provision` and the device library on the two sides of Linux's own USB. Each test is a check of
/// `Tests/USBGuest/checks`; the guest makes all of them in one go.
@Suite(
    .serialized,
    .enabled(
        if: USBGuest.canRun, "there is no qemu-system-x86_64: Scripts/setup --test installs it"))
struct USBGuestTests {
    // MARK: Which device

    @Test func aBoardIsFoundByItsNumbers() throws { try USBGuest.expect("found-by-numbers") }
    @Test func aBoardIsFoundByItsSerialNumber() throws { try USBGuest.expect("found-by-serial") }
    @Test func aBoardIsFoundByItsPlace() throws { try USBGuest.expect("found-by-place") }
    @Test func aBoardIsFoundByItsInterface() throws { try USBGuest.expect("found-by-interface") }
    @Test func anotherSerialNumberIsAnotherBoard() throws { try USBGuest.expect("wrong-serial") }
    @Test func aBoardThatIsPluggedInLateIsWaitedFor() throws {
        try USBGuest.expect("plugged-late")
    }
    @Test func ofTwoBoardsNoneIsTaken() throws { try USBGuest.expect("two-alike") }
    @Test func aClosedDeviceNamesTheRule() throws { try USBGuest.expect("denied") }
    @Test func udevReadsTheRules() throws { try USBGuest.expect("rules") }
    @Test func whoHasTheInterfaceIsNamed() throws { try USBGuest.expect("busy") }

    // MARK: What goes wrong on the way

    @Test func aBoardLeavesAtOnce() throws { try USBGuest.expect("unplugged-at-once") }
    @Test func aBoardLeavesBeforeItsEvidence() throws {
        try USBGuest.expect("unplugged-before-evidence")
    }
    @Test func aBoardLeavesWhileInstalling() throws {
        try USBGuest.expect("unplugged-while-installing")
    }
    @Test func aHaltFromTheDeviceIsCleared() throws { try USBGuest.expect("stall-in") }
    @Test func aHaltToTheDeviceIsCleared() throws { try USBGuest.expect("stall-out") }
    @Test func aHaltThatStaysIsAnError() throws { try USBGuest.expect("stall-for-good") }
    @Test func missingEmptyPacketsDoNoHarm() throws { try USBGuest.expect("no-empty-packets") }
    @Test func aStreamNeedsNoEnd() throws { try USBGuest.expect("endless") }
    @Test func aLossyDeviceIsProvisioned() throws { try USBGuest.expect("lossy") }
    @Test func noiseIsNoDevice() throws { try USBGuest.expect("noise") }
    @Test func silenceIsNoDevice() throws { try USBGuest.expect("silence") }
    @Test func aSignalEndsAWaitAtOnce() throws { try USBGuest.expect("interrupted") }

    // MARK: Kills

    @Test func aKilledRunIsContinued() throws { try USBGuest.expect("killed-run") }
    @Test func aKilledBoardIsContinued() throws { try USBGuest.expect("killed-gadget") }
    @Test func aBoardLosesPowerWhileWriting() throws { try USBGuest.expect("power-lost") }

    // MARK: Re-enumeration

    @Test func aBoardComesFromItsLoader() throws { try USBGuest.expect("reenumerated") }
    @Test func aBoardThatLeavesLateIsFollowed() throws { try USBGuest.expect("came-back") }

    // MARK: Several side by side

    @Test func allBoardsAreProvisioned() throws { try USBGuest.expect("all-at-once") }
    @Test func allSerialBoardsAreProvisioned() throws { try USBGuest.expect("all-serial") }
    @Test func oneOfAllLeaves() throws { try USBGuest.expect("all-but-one") }

    // MARK: The channel itself

    /// The suite that adapter authors have, with a gadget as the far end.
    @Test func theChannelKeepsItsPromises() throws { try USBGuest.expect("promises") }

    // MARK: Serial ports

    @Test func aSerialPortIsFound() throws { try USBGuest.expect("serial-found") }
    @Test func aSerialPortThatComesLateIsWaitedFor() throws {
        try USBGuest.expect("serial-plugged-late")
    }
    @Test func aSerialPortIsFollowed() throws { try USBGuest.expect("serial-followed") }
    @Test func ofTwoPortsTheSerialNumberTells() throws { try USBGuest.expect("serial-chosen") }
    @Test func portsThatSwapNamesAreFollowed() throws { try USBGuest.expect("serial-swapped") }
    @Test func controlLinesReachTheDriver() throws { try USBGuest.expect("serial-lines") }
    @Test func aBoardIsResetByItsLines() throws { try USBGuest.expect("serial-reset") }
    @Test func aBootloaderIsTouched() throws { try USBGuest.expect("serial-touched") }
}
