use super::Company;

/// A sync of 100 ns that ends at `at` and covers what came; `meanwhile` come while it runs.
fn synced(company: &mut Company, at: u64, meanwhile: u32) {
    company.sync_began();
    company.came(meanwhile);
    company.sync_ended(at, 100, true);
}

/// Two came, and a sync of `took` ns that covered them has ended at 1000.
fn after_two(took: u64, acks_wait: bool) -> Company {
    let mut company = Company::default();
    company.came(2);
    company.sync_began();
    company.sync_ended(1000, took, acks_wait);
    company
}

#[test]
fn who_comes_alone_waits_for_nobody() {
    let mut company = Company::default();
    for at in [100, 200, 300] {
        company.came(1);
        assert_eq!(company.begin_wait(at), None);
        synced(&mut company, at, 0);
    }
}

#[test]
fn two_who_take_turns_find_together() {
    let mut company = Company::default();
    company.came(1);
    synced(&mut company, 1000, 1);
    assert_eq!(company.begin_wait(1000), Some(1100), "the one of before is expected again");
    company.came(1);
    assert!(company.is_complete());
    company.end_wait();
    synced(&mut company, 1200, 0);
    company.came(1);
    assert_eq!(company.begin_wait(1210), Some(1300), "both are");
    company.came(1);
    assert_eq!(company.begin_wait(1220), None);
}

#[test]
fn who_comes_late_is_not_held_up_for_those_who_did_not() {
    let mut company = after_two(100, true);
    company.came(1);
    assert_eq!(company.begin_wait(1100), None);
}

#[test]
fn waits_in_vain_become_rare_and_one_that_is_not_brings_them_back() {
    let mut company = Company::default();
    let mut at = 0;
    let mut pauses = Vec::new();
    for _ in 0..1500 {
        company.came(2);
        synced(&mut company, at, 0);
        at += 1000;
        company.came(1);
        let waits = company.begin_wait(at - 999).is_some();
        match pauses.last_mut() {
            Some(pause) if !waits => *pause += 1,
            _ => pauses.push(0),
        }
        if waits {
            company.end_wait();
        }
        company.came(1);
    }
    assert_eq!(pauses[..8], [1, 3, 7, 15, 31, 63, 127, 255]);
    assert!(pauses[8..].iter().all(|&pause| pause <= 255));
    company.hurried = 0;
    synced(&mut company, at, 0);
    assert!(company.begin_wait(at).is_some());
    company.came(5);
    company.end_wait();
    synced(&mut company, at, 0);
    assert!(company.begin_wait(at).is_some());
}

#[test]
fn no_wait_is_long_however_slow_the_disk() {
    assert_eq!(after_two(50_000_000, true).begin_wait(1000), Some(2_001_000));
}

#[test]
fn nobody_is_expected_where_no_ack_waits() {
    assert_eq!(after_two(100, false).begin_wait(1000), None);
}
