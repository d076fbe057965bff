"""Words that values are compared with: given names, goods that are called like people, and terms of health, belief and life."""

GIVEN_NAMES = frozenset(
    """
    aarav aaron abby abdul abigail ada adam adele adelheid adrian adriana agnes ahmed aidan aileen aimee aisha akiko akira alain alan albert alberto
    alejandra alejandro aleksander alessandra alessandro alex alexa alexander alexandra alexandre alexej alexis alfred ali alice alicia alina alisha
    alison alix allan allen allison alma alois aloys alyssa amanda amber amelia amelie amina amir amy ana anais anastasia anatol andre andrea andreas
    andrej andres andrew andy anette angel angela angelica angelika angelina angelo anika anita anja anke ann anna annabelle anne annegret annelie
    annelies anneliese annemarie annette annie anthony antje antoine antoinette anton antonia antonio antonius aoi april ariana ariel arjun arlene arlette
    armando arnaud arne arnold arthur arturo ashlee ashley ashlyn astrid asuka athanasios aude audrey auguste augustin augustine aurelie aurore austin
    autumn axel ayaka ayse bailey barbara barry bastien beate beatrice beatriz becky belinda ben benedikt benjamin benno benoit bernadette bernard bernd
    bernhard bert berta berthold bertille bertrand beth bethany bettina betty beverly bianca bill billy birgit birte björn blake bob bodo bonnie brad
    braden bradley brandi brandon brandy breanna brenda brendan brent brett brian briana brianna bridget brigitte britney brittany brittney brody bruce
    bruno bryan bryce burkhard caitlin caleb calvin cameron camille candace candice capucine carina carl carla carlos carly carmen carol carola carole
    carolina caroline carolyn carrie carson carsten casey cassandra cassidy catalina catherine cathy cecile cecilia cedric celia celina celine cesar chad
    chance chantal charlene charles charlotte chase chelsea chen cheryl cheyenne chloe chris christa christel christelle christian christiane christina
    christine christoph christophe christopher christy cindy claire clara clarence claude claudia claudine claus clayton clemence clemens clifford clinton
    cody colas colette colin colleen colton connie connor conny constance corey corinna corinne cornelia cory courtney craig cristian cristina crystal
    curtis cynthia dagmar daichi daisy dakota dale damien damon dan dana daniel daniela daniele danielle danny daria darin darius darlene darrell darren
    daryl dave david dawn dean deanna debbie deborah debra delphine denis denise dennis derek derrick desiree destiny detlef detlev devin devon diana
    diane didier diego dieter dietmar dillon dimitri dina dirk dolores dominic dominik dominique don donald donna doreen doris dorit dorothea dorothee
    dorothy doug douglas drew duane dustin dwayne dylan dörte earl easton eberhard eckard eckehard eckhard eddie eddy edeltraud edgar edith edmund edouard
    eduardo edward edwin egbert egon eileen ekkehard elaine eleanor elena eleonore elfi elfriede eli elias elijah elisa elisabeth elisabetta elise
    elizabeth elke ella ellen elli ellie ellinor elliott elmar elmer elodie elsa elvira emi emil emile emilia emilie emily emine emma emmanuel emmett emmi
    enno enrico enrique eric erica erich erik erika erin ernest ernestine ernst erwin esteban estelle esther ethan etienne etta eugen eugene eugenie eva
    evan evelin evelyn evelyne ewa ewald fabian fabienne fabio fabrice faith falk faruk fatima fatma felicia felix felizitas ferdinand fernanda fernando
    filip fiona florence florian franca frances francesca francesco francis francisco franck franco francois francoise frank frankie franz franziska
    frauke fred frederic frederick frederik frederike frederique frida frieda friedbert friederike friedrich fritz gabriel gabriela gabriele gabrielle
    gage galina gary gavin geoffrey georg george georges georgios gerald gerard gerd gerda gerhard gerlinde gernot gero gertrud gesa gesine gilbert
    gilberto gilles gina ginette giovanna giovanni gisbert gisela gitta giulia giuseppe gladys glenda glenn gloria gonzalo gordon gottfried grace grant
    greg gregoire gregory greta guadalupe gudrun guenter guillaume gunda gundolf gunter gustav guy hagen hailey haley hanna hannah hanne hannelore hannes
    hans hans-peter harald harold harro harry hartmut haruka haruto harvey hassan hatice heather hector hedwig heide heidi heike heiko heiner heinrich
    heinz heinz-joachim helen helena helene helga helge hella helmut helmuth hendrik henner henning henri henrik henry herbert heribert herman hermann
    herta hilda hildegard hinrich hiroshi hiroto holger holly hope horst hortense howard hubert hugo hunter ian ibrahim ida ignacio igor ilka ilona ilse
    ina ines inge ingeborg ingo ingolf ingrid irena irene irina iris irma irmgard isaac isabel isabella isabelle isolde israel istvan ivan iwona jack
    jackie jackson jaclyn jacob jacqueline jacques jade jaime jake jakob james jameson jamie jan jana jane janet janice janine janos jared jaroslav jasmin
    jasmine jason javier jay jayden jean jeanette jeanne jeannine jeff jeffery jeffrey jenna jennifer jenny jens jeremiah jeremy jermaine jerome jerry
    jesse jessica jessika jesus jill jim jimmie jimmy jiro joachim joan joann joanna joanne jocelyne jochen jodi jody joe joel joerg joern johan johann
    johanna johannes john johnathan johnny jolanta jolanthe jon jonas jonathan jonathon jordan jorge jose josef joseph josephine josette joshua jost
    jovana joy joyce juan juana juanita judith judy juergen julia julian juliane julie julien juliette julio julius jun jurgen justin jutta kai kaitlin
    kaitlyn kaori kara karen kari karin karina karl karl-heinz karla karola karsten kasey katarzyna kate katelyn katharina katharine katherine kathi
    kathleen kathrin kathryn kathy katie katja katrin katrina kay kayla keith kelli kellie kelly kelsey ken kendra kenji kenneth kenta kerry kerstin kevin
    kiara kiera kim kimberly kira kirk kirsten kirstin klara klaus knut konrad konstantin kreszentia krista kristen kristi kristian kristie kristin
    kristina kristine kristopher kristy krystal kumiko kunigunde kurt kyle lacey ladislaus laetitia lambert lance larry lars laura laure lauren laurence
    laurent lauri laurie lawrence lea leah lee leila lena leo leon leonard leonie leopold leroy leslie leticia levi li liam liane lida liesel lillian lin
    lina linda lindsay lindsey linus lisa lise logan lois loni lonnie lorenz lorenzo lori lorraine lothar lou louis louise luc lucas luce lucia lucie
    lucille lucy ludger ludwig luigi luis luisa lukas luke lutz lydia lynn mackenzie madeleine madison magda magdalena maggie magnus maik maja makayla
    malcolm malik malte mandy manfred manon manuel manuela marc marcel marcelle marcia marco marcus margaret margarete margarita margaud margaux margit
    margot margret margrit marguerite maria mariah marianne marie mariko marilyn marina mario marion marisa marissa marit marjorie mark marko markus
    marlen marlene marlies marshall marta martha martin martina martine marvin mary maryse mason mathias mathieu mathilda mathilde matt matteo matthew
    matthias matthieu maureen maurice mauricio max maxime maximilian maya mayer mckenzie mechthild megan mehmet mei meike meinhard melanie melina melinda
    melissa melvin mercedes meredith mia michael michaela micheal michel michele micheline michelle miguel mikako mikayla mike mikhail milena miles mina
    mindy minoru miranda mirjam mirko misty mitchell mohamed mohammad mohammed molly momoko mona monica monika monique monte morgan moritz morris moshe
    muhammad mustafa nadia nadine nadja nancy naoki naoko natalia natalie natascha natasha nath nathalie nathan nathaniel neil nele nelson nguyen nicholas
    nichole nick nicola nicolas nicole niels nikolai nikolaus nils nina noah noel noemi nora norbert norma norman nurten odette odile olaf ole olga oliver
    olivia olivie olivier omar osamu oscar oskar oswald ottilie ottmar otto pablo paige pam pamela paola pascal patrice patricia patrick patrik paul paula
    paulette pauline paulo pedro peggy penelope penny perry peter petra phil philip philipp philippe philippine phillip phyllis pia pierre pilar piotr
    preston priscilla priya rachael rachel rafael rainer raju ralf ralph ramon randall randy raphael raul raven ray raymond rebecca rebekah regina
    reginald rei reiner reinhard reinhold remy ren renata renate rene renee resi rhonda ricarda ricardo richard rick ricky rico rita robert roberta
    roberto robin robyn rodney rodrigo roger rohan roland rolf roman romy ron ronald ronnie rosa rosalie rosario rose rosel rosemarie rosemary rosmarie
    ross roswitha roxanne roy ruben rudi rudolf rupert russell ruth ryan ryo sabine sabrina sakura sally salvador salvatore sam samantha samir samuel
    sandra sandro sandy sara sarah sascha satoshi savannah sayuri scott sean sebastian sebastien selena selina senta serena sergei sergio seth shane
    shannon shari sharon shaun shawn sheena sheila shelby shelia shelley shelly sheri sherri sherrie sherry shirley shohei shota sibylle siegbert
    siegfried sierra sigmund sigrid silke silvia silvio simon simone sinaida sissy slavko sofia solene sonia sonja sonya sophia sophie sora spencer stacey
    stacie stacy stanislaw stanley stefan stefania stefanie stefano steffen steffi stella stephan stephane stephanie stephen steve steven stuart sue
    summer susan susanna susanne suzanne svea sven svenja svetlana swetlana sydney sylvia sylvie tabea tabitha taichi takashi tamara tammy tanja tanner
    tanya tara taro tatiana tatjana taylor ted teresa terrance terrence terri terry thea thekla theo theobald theodor theodora theodore theophile theres
    theresa therese thibault thibaut thierry thomas thorsten tiffany till tilo tim timm timo timothee timothy tina tino tobias todd tom tommy tomoya toni
    tony tonya torsten tracey traci tracie tracy traute travis trevor tricia tristan troy trude tyler tyrone udo ulla ulrich ulrike urban ursula uschi ute
    uwe valentin valentina valentine valerie valeska vanessa veit vera verena vernon veronica veronika veronique vicki vickie victoire victor victoria
    viktor vincent vincenz vinko virginia virginie viviane vladimir volker walter waltraud wanda warren wayne wei wencke wendy werner wesley whitney wibke
    wiebke wieland wilfried wilhelm william willie wilma wiltrud winfried wladimir woldemar wolf wolfgang xavier yasmin yesenia yoko yolanda yosuke yui
    yuki yumi yusuf yves yvette yvonne zacharie zachary zdenka zhang zita zoe zoey
    """.split()  # noqa: SIM905 - a list would be one line for each word
)
"""Common in North America, western Europe and in transliteration; no list is complete, and none is needed where a name says `firstName`."""

GOODS = frozenset(
    """
    airport album app backpack bag band bank beach bed belt bench blanket blender book boot boots bottle bowl box bracelet bundle cabinet cafe camera
    campaign candle cap card cart case center centre chair charger checkout city clock club coat coffee collection company corp couch cream cup curtain
    desk dress earrings edition event frame game gift glass glasses glove gloves gmbh gown group hat headphones heel heels home hoodie hotel inc island
    jacket jean jeans jersey jumper kettle kit knife lamp laptop league leggings light lipstick llc loafer loafers ltd mat mattress mirror movie mug
    museum necklace notebook oil order pack page pan pants park parka party pen perfume phone pillow plan plate polo poster pot print rack restaurant ring
    robe rug sale sandal sandals scarf screen series serum set shampoo sheet shelf shirt shoe shoes shop shorts show skirt sleeve slipper sneaker sneakers
    soap sock socks sofa song speaker spray stand stool store street suit sunglasses sweater sweatshirt table tablet tank tea team tee ticket tie top tour
    towel town toy tray trip trousers tshirt tv umbrella vase vest view wallet watch wine
    """.split()  # noqa: SIM905 - a list would be one line for each word
)
"""Words that make `Jordan Shoe` a thing, and `Paris Mug`."""

HEALTH_TERMS = frozenset(
    """
    abortion acne addiction adhd aids alcoholism allergies allergy alzheimer alzheimers anemia anorexia antidepressant antidepressants anxiety arthritis asthma
    asthme autism bipolar blindness bulimia cancer celiac chemotherapy cholesterol contraception contraceptive copd crohn crohns cáncer dementia
    depression depressionen dermatitis diabetes diabetic diabète dialysis disability eczema embarazo enceinte endometriosis epilepsy erectile fertility
    fibromyalgia gout gravidanza grossesse hepatitis herpes hiv hormone hypertension ibs incontinence infertility insulin ivf kidney krebs leukemia lupus
    menopause menstruation migraine miscarriage obesity ocd opioid osteoporosis ovulation parkinson parkinsons pcos pregnancy pregnant psoriasis
    psychiatric psychosis ptsd rehab rosacea schizophrenia schwanger schwangerschaft sclerosis std sti stroke suicidal suicide surgery therapy thyroid
    tuberculosis tumor tumore ulcer viagra
    """.split()  # noqa: SIM905 - a list would be one line for each word
)

RELIGIOUS_TERMS = frozenset(
    """
    agnostic anglican atheist baha'i bahai baptist buddhism buddhist catholic catholique católico christian christianity church cristiano evangelical
    evangelisch halal hindu hinduism islam islamic jehovah jewish judaism juif jüdisch katholisch konfessionslos kosher lutheran methodist mormon mosque
    muslim muslimisch musulman musulmán orthodox pentecostal presbyterian protestant quaker ramadan scientology shia sikh sikhism sunni synagogue
    """.split()  # noqa: SIM905 - a list would be one line for each word
)

ORIENTATION_TERMS = frozenset(
    """
    asexual bi bisexual gay heterosexual homosexual lesbian lesbisch lgbt lgbtq pansexual queer schwul straight
    """.split()  # noqa: SIM905 - a list would be one line for each word
)

POLITICAL_TERMS = frozenset(
    """
    afd cdu communist conservative conservatives csu democrat democratic democrats fdp green greens grüne labour left liberal liberals libertarian linke
    nationalist populist republican republicans right socialist socialists spd tory
    """.split()  # noqa: SIM905 - a list would be one line for each word
)
