// Words for suggestions on English pages: from EFF's long word list (CC BY 3.0 US). Made by assets/make_words_en.js.

export const WORDS = `
abide abroad accent acting active afar afford agenda aging ahead alarm alias aliens almost amber amends among amulet
anger ankle apple apron arena arise around arrive asleep attach audio author avenge avoid aware backed bacon badge
baking banana barber barn bash basil basket bath battle blame blast blend blog bluff boat bonus booth boring both
bottom boxer breath brick bright brink broker brunch brute buckle bulb bundle bust cage calm canal candle canned
cannot carbon caring carve cash casket cause cement chair change charm cheek cheese chess chief chill chop chuck
chute circle civil class clear clever clinic cloak clone clutch coat coke collar coma comic common cope coral cosmic
cotton cough cover crane create crib crook cross crown cube cure dagger danger darn data dawn dealer debate decent
decree defeat degree delta dense depth device dice diner dinner disk dock doing domain dork douche down dreamt drew
drift driver drove drum duke dust each easter eating echo editor elbow eleven elves ended engine entire erased error
ethics evolve excess exile expert extent facial factor fading fall fang feast feel ferris fever fiddle figure film
filth finch flame flick fling flirt flock folk font fool frame fridge friend front gala garage garlic gear gents
gift giving glass glue goes gone good gossip gown grain grape green grid grill groom ground grudge guide guts hacked
half hamlet harbor hash hatred haven heap helmet herbs hull hunger hurt icon image iron item jeep judge jump junior
karate keep kettle kite knee ladder lair lance laptop late laurel legal lemon length lent letter life limb line
linked liquid litter liver lung maker mama manual margin marrow math mobile mold morse motion motor mouth movie much
museum mute nail narrow nature nerd never niece ninth obtain olive onion onto open oppose ouch outer oven paddle
palm panda paper parish parole parted pastor patrol photo plasma plot plus poet poking police pond portal posted
pound press prior props proven pull punk puppet purse quiet race rack radio raging ranch ranger rascal reach rebel
recall recess record refund regime rehab remote rented repent reset resume reveal reward rice ride rise rival robe
rocket roman rotten rubber rule rural sacred said sake salon salt sample santa savage savior scam scarf scope scotch
scrap script second sector self senior sermon settle shack shaft shape sheep shelf shield ship shock shorts shower
shrimp shrink sierra silk simple single sister sketch skiing slam sleep slept slip slot small smile smoked snack
sniff speak speed sphere spill spiral sponge spring squash stable staff stamp stark static status steep step stew
stir stole stool stove streak street strict struck stunt sudden suing sushi swear sweep switch sworn tablet taco
taking tank task tattoo thank thee theme thesis thing thread thrive thud thus till tipped trace trade traps travel
tree trend truce trump turf tutor twice unable undone unit unpack until upbeat uphold upon urban used usual utter
valid vanish venue verse vessel viable vice violet viral voice voting wages wake walk wanted water wheat whoops wife
wind winner wired wise wolf word worst wrath
`.trim().split(/\s+/);
